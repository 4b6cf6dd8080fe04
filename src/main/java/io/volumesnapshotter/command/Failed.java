package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.settings.InvalidSettingException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Tells what ended a command in one line on standard error, and which code follows from it. */
final class Failed implements IParameterExceptionHandler, IExecutionExceptionHandler {

    private static final Logger LOG = LoggerFactory.getLogger(Failed.class);

    private final Console console;

    Failed(Console console) {
        this.console = console;
    }

    @Override
    public int handleParseException(ParameterException mistake, String[] args) {
        if (mistake.getCause() instanceof InvalidSettingException invalid) {
            console.error(invalid.getMessage());
            return ExitCode.USAGE;
        }
        console.error(
                mistake.getMessage()
                        + " -> "
                        + suggestion(mistake)
                        + "see "
                        + mistake.getCommandLine().getCommandSpec().qualifiedName()
                        + " --help");
        return ExitCode.USAGE;
    }

    private static String suggestion(ParameterException mistake) {
        if (mistake instanceof UnmatchedArgumentException unmatched) {
            List<String> near = unmatched.getSuggestions();
            if (!near.isEmpty()) {
                return "did you mean "
                        + near.stream()
                                .map(name -> name.substring(name.lastIndexOf(' ') + 1))
                                .distinct()
                                .collect(Collectors.joining(" or "))
                        + "? or ";
            }
        }
        return "";
    }

    @Override
    public int handleExecutionException(
            Exception failure, CommandLine commandLine, ParseResult parsed) {
        LOG.debug("the command failed", failure);
        console.endProgress();
        return tell(
                failure,
                commandLine.getCommand() instanceof ClusterCommand command
                        ? command.component()
                        : Optional.empty());
    }

    /** Tells what failed, and says the code that follows from it. */
    int tell(Exception failure) {
        return tell(failure, Optional.empty());
    }

    private int tell(Exception failure, Optional<String> component) {
        if (failure instanceof CommandException told) {
            console.error(told.getMessage());
            return told.exitCode();
        }
        InvalidSettingException invalid =
                Causes.find(InvalidSettingException.class, failure).orElse(null);
        if (invalid != null) {
            console.error(invalid.getMessage());
            return invalid.getMessage().startsWith("--") ? ExitCode.USAGE : ExitCode.CONFIG;
        }
        KubernetesClientException answer =
                Causes.find(KubernetesClientException.class, failure).orElse(null);
        if (answer != null) {
            console.error(ApiErrors.reason(answer) + " -> " + remedy(answer, component));
            return ApiErrors.isPassing(answer) ? ExitCode.AGAIN : ExitCode.NOTHING;
        }
        console.error(
                ErrorText.rootWords(failure) + " -> look at it with --verbose, and report it");
        return ExitCode.NOTHING;
    }

    private static String remedy(KubernetesClientException answer, Optional<String> component) {
        return ApiErrors.isPassing(answer)
                ? "look at the API server and at its address in the kubeconfig, and try again"
                : component
                        .map(name -> ApiErrors.remedy(answer, name))
                        .orElseGet(() -> ApiErrors.remedy(answer));
    }
}
