package io.volumesnapshotter.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.volumesnapshotter.settings.InvalidSettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * The files that {@code KUBECONFIG} names, or the one in the home, merged as kubectl merges them:
 * of several entries with one name the first file's counts, whole.
 *
 * @see <a
 *     href="https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/">Kubernetes
 *     on kubeconfig files</a>
 */
final class Kubeconfig {

    static final String VARIABLE = "KUBECONFIG";

    private static final Set<String> CONTEXT = Set.of("cluster", "user", "namespace", "extensions");

    /** All that is told of a file with a mistake: parsers quote the token beside it. */
    private static final Pattern LINE = Pattern.compile("\\bline:? (\\d+)");

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Logger LOG = LoggerFactory.getLogger(Kubeconfig.class);

    private final Map<String, KubeconfigEntry> clusters = new LinkedHashMap<>();
    private final Map<String, KubeconfigEntry> users = new LinkedHashMap<>();
    private final Map<String, KubeconfigEntry> contexts = new LinkedHashMap<>();
    private final List<Path> files;
    private String currentContext = "";
    private Path currentContextFile;

    /** What a context names. */
    record Selection(
            String context, String namespace, KubeconfigEntry cluster, KubeconfigEntry user) {}

    private Kubeconfig(List<Path> files) {
        this.files = files;
    }

    /**
     * Where to look.
     *
     * @throws InvalidSettingException when the variable names files and none of them is there
     */
    static List<Path> files(Map<String, String> environment) {
        String named = environment.getOrDefault(VARIABLE, "");
        if (named.isBlank()) {
            String home = environment.getOrDefault("HOME", System.getProperty("user.home"));
            return List.of(Path.of(home, ".kube", "config")).stream()
                    .filter(Files::exists)
                    .toList();
        }
        List<Path> files =
                Arrays.stream(named.split(File.pathSeparator))
                        .filter(file -> !file.isEmpty())
                        .distinct()
                        .map(Path::of)
                        .filter(Files::exists)
                        .toList();
        if (files.isEmpty()) {
            throw new InvalidSettingException(VARIABLE, named, "there is no such readable file");
        }
        return files;
    }

    /**
     * Reads files that are there.
     *
     * @throws InvalidSettingException when one of them is no kubeconfig
     */
    static Kubeconfig read(List<Path> files) {
        Kubeconfig all = new Kubeconfig(files);
        for (Path file : files) {
            all.add(file, parse(file));
        }
        return all;
    }

    /** Whether it names no cluster, so that a pod's service account may count. */
    boolean isEmpty() {
        return clusters.isEmpty() && contexts.isEmpty() && currentContext.isEmpty();
    }

    /**
     * What the current context names.
     *
     * @throws InvalidSettingException when there is none, or when what it names is missing
     */
    Selection select() {
        if (currentContext.isEmpty()) {
            throw new InvalidSettingException(
                    files.get(0) + ", current-context",
                    "",
                    "name one of its contexts: kubectl config use-context NAME, or --context with"
                            + " a command"
                            + (contexts.isEmpty() ? "" : "; " + thereAre()));
        }
        return select(currentContext);
    }

    private String thereAre() {
        return "there are " + String.join(", ", contexts.keySet());
    }

    /** What a context names. */
    Selection select(String name) {
        return select(
                (currentContextFile == null ? files.get(0) : currentContextFile)
                        + ", current-context",
                name);
    }

    /**
     * What a context names.
     *
     * @param place where its name stands, for messages
     */
    Selection select(String place, String name) {
        KubeconfigEntry context = contexts.get(name);
        if (context == null) {
            throw new InvalidSettingException(
                    place,
                    name,
                    "there is no context of that name"
                            + (contexts.isEmpty() ? "" : "; " + thereAre()));
        }
        Selection selection =
                new Selection(
                        name,
                        context.text("namespace"),
                        named(context, "cluster", clusters),
                        named(context, "user", users));
        tellOthers(context, CONTEXT);
        tellOthers(selection.cluster, ClusterAddress.FIELDS);
        tellOthers(selection.user, User.FIELDS);
        return selection;
    }

    private static KubeconfigEntry named(
            KubeconfigEntry context, String kind, Map<String, KubeconfigEntry> all) {
        String name = context.text(kind);
        if (name.isEmpty()) {
            if (kind.equals("user")) {
                // Right where no credential is sent: what the server's scheme says is checked
                // there.
                return new KubeconfigEntry(context.file(), "no user", JSON.createObjectNode());
            }
            throw context.invalid(kind, name, "name one");
        }
        KubeconfigEntry entry = all.get(name);
        if (entry == null) {
            throw context.invalid(kind, name, "there is no %s of that name".formatted(kind));
        }
        return entry;
    }

    private static void tellOthers(KubeconfigEntry entry, Set<String> known) {
        List<String> others = entry.others(known);
        if (!others.isEmpty()) {
            LOG.warn(
                    "{}, {}: no such field, so it means nothing here and to kubectl: {}",
                    entry.file(),
                    entry.place(),
                    String.join(", ", others));
        }
    }

    private void add(Path file, JsonNode content) {
        add(file, content, "cluster", clusters);
        add(file, content, "user", users);
        add(file, content, "context", contexts);
        if (currentContext.isEmpty()) {
            currentContext = content.path("current-context").asText("");
            currentContextFile = file;
        }
    }

    private static void add(
            Path file, JsonNode content, String kind, Map<String, KubeconfigEntry> all) {
        Map<String, KubeconfigEntry> own = new LinkedHashMap<>();
        String list = kind + "s";
        JsonNode entries = content.path(list);
        if (!entries.isArray() && !entries.isNull() && !entries.isMissingNode()) {
            throw new InvalidSettingException(
                    file + ", " + list, KubeconfigEntry.HIDDEN, "give a list");
        }
        for (JsonNode entry : entries) {
            String name = entry.path("name").asText("");
            JsonNode body = entry.path(kind);
            if (!body.isObject() && !body.isNull() && !body.isMissingNode()) {
                throw new InvalidSettingException(
                        file + ", " + kind + " " + name, KubeconfigEntry.HIDDEN, "give its fields");
            }
            KubeconfigEntry twin =
                    own.put(name, new KubeconfigEntry(file, kind + " " + name, body));
            if (twin != null) {
                throw new InvalidSettingException(
                        file + ", " + list, name, "there are two of that name");
            }
        }
        own.forEach(all::putIfAbsent);
    }

    private static JsonNode parse(Path file) {
        Object content;
        try {
            Iterator<Object> documents =
                    new Load(LoadSettings.builder().setAllowDuplicateKeys(true).build())
                            .loadAllFromString(Files.readString(file))
                            .iterator();
            content = documents.hasNext() ? documents.next() : Map.of();
        } catch (IOException e) {
            throw new InvalidSettingException(VARIABLE, file.toString(), "it cannot be read");
        } catch (YamlEngineException e) {
            throw unreadable(file, line(e));
        }
        JsonNode root = JSON.valueToTree(content == null ? Map.of() : content);
        String kind = root.path("kind").asText("Config");
        if (!root.isObject() || !kind.equals("Config")) {
            throw unreadable(file, Optional.empty());
        }
        return root;
    }

    private static Optional<String> line(YamlEngineException mistake) {
        Matcher line = LINE.matcher(String.valueOf(mistake.getMessage()));
        return line.find() ? Optional.of(line.group(1)) : Optional.empty();
    }

    private static InvalidSettingException unreadable(Path file, Optional<String> line) {
        return new InvalidSettingException(
                VARIABLE,
                file.toString(),
                "it cannot be read as a kubeconfig"
                        + line.map(number -> ", look at line " + number).orElse("")
                        + "; kubectl config view says what is wrong");
    }
}
