package io.volumesnapshotter.command;

import io.volumesnapshotter.kubernetes.ClusterChoice;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.ObjectNames;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** Which cluster, and who to be there: kubectl's own flags, with their meaning. */
public final class ClusterOptions {

    @Option(
            names = "--kubeconfig",
            paramLabel = "FILE",
            description = "The kubeconfig to read. Default: as kubectl finds it.")
    private Path kubeconfig;

    @Option(
            names = "--context",
            paramLabel = "NAME",
            description = "The kubeconfig's context to use. Default: the current one.")
    private String context;

    @Option(
            names = {"-n", "--namespace"},
            paramLabel = "NS",
            description = "The namespace to work in. Default: the context's, or the pod's.")
    private String namespace;

    @Option(
            names = "--as",
            paramLabel = "USER",
            description = "The user to act as. The account needs the right to impersonate.")
    private String as;

    @Option(
            names = "--as-group",
            paramLabel = "GROUP",
            description = "A group to act as; may be given more than once.")
    private List<String> asGroups = List.of();

    @Option(
            names = "--request-timeout",
            paramLabel = "TIME",
            converter = Limit.class,
            description = "How long to wait for an answer of the API server. Default: 15s.")
    private Duration requestTimeout;

    /**
     * What was said.
     *
     * @throws InvalidSettingException when the namespace can be none
     */
    public ClusterChoice choice() {
        if (namespace != null && !ObjectNames.isLabel(namespace)) {
            throw new InvalidSettingException(
                    "--namespace",
                    namespace,
                    "a namespace's name has lower case letters, digits and '-'");
        }
        return new ClusterChoice(
                Optional.ofNullable(kubeconfig),
                Optional.ofNullable(context),
                Optional.ofNullable(namespace),
                Optional.ofNullable(as),
                asGroups,
                Optional.ofNullable(requestTimeout));
    }

    /** A time as kubectl takes it: seconds, or with a unit. */
    static final class Limit implements ITypeConverter<Duration> {

        private static final Pattern TIME = Pattern.compile("(\\d{1,6})(ms|s|m|h)?");

        @Override
        public Duration convert(String text) {
            Matcher time = TIME.matcher(text);
            if (time.matches()) {
                long number = Long.parseLong(time.group(1));
                Duration limit =
                        switch (time.group(2) == null ? "s" : time.group(2)) {
                            case "ms" -> Duration.ofMillis(number);
                            case "m" -> Duration.ofMinutes(number);
                            case "h" -> Duration.ofHours(number);
                            default -> Duration.ofSeconds(number);
                        };
                if (!limit.isZero() && limit.compareTo(Duration.ofDays(1)) <= 0) {
                    return limit;
                }
            }
            throw new InvalidSettingException(
                    "--request-timeout", text, "give a time of at most a day, such as 5s, 2m, 1h");
        }
    }
}
