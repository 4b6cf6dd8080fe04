package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.settings.NearMisses;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.snapshot.Snapshot;
import io.volumesnapshotter.snapshot.SnapshotReader;
import java.util.Optional;
import java.util.Set;

/** A snapshot that somebody names on the command line, plain or as {@code -o name} writes it. */
final class SnapshotRef {

    /** What stands before the slash in {@code -o name}. */
    static final String RESOURCE =
            SnapshotApi.KIND.getKind().toLowerCase(java.util.Locale.ROOT)
                    + "."
                    + SnapshotApi.KIND.getGroup();

    private static final Set<String> PREFIXES =
            Set.of(RESOURCE, "volumesnapshot", "volumesnapshots", "vs");

    private SnapshotRef() {}

    /**
     * The name alone.
     *
     * @throws CommandException when it can be no snapshot's
     */
    static String name(String text) {
        int slash = text.indexOf('/');
        String name = text.substring(slash + 1);
        if (slash >= 0 && !PREFIXES.contains(text.substring(0, slash))) {
            throw CommandException.usage(
                    "\"" + text + "\" is not a snapshot",
                    "give a name, or " + RESOURCE + "/NAME; its namespace with -n");
        }
        if (!ObjectNames.isSubdomain(name)) {
            throw CommandException.usage(
                    "\"" + text + "\" can be no snapshot's name",
                    "list shows the names that there are");
        }
        return name;
    }

    /** As kubectl takes it. */
    static String shown(String name) {
        return RESOURCE + "/" + name;
    }

    /**
     * The snapshot.
     *
     * @throws CommandException when there is none of that name; it names those that are near
     * @throws KubernetesClientException when it cannot be read
     */
    static Snapshot find(KubernetesClient client, String name) {
        ClusterReader reader = new ClusterReader(client);
        Optional<String> namespace = Optional.of(client.getNamespace());
        return reader.get(SnapshotApi.KIND, namespace, name, SnapshotReader.FIELDS)
                .map(SnapshotReader::read)
                .orElseThrow(
                        () ->
                                CommandException.nothing(
                                        "there is no snapshot "
                                                + name
                                                + " in namespace "
                                                + client.getNamespace(),
                                        NearMisses.hint(
                                                name,
                                                KnownNames.of(
                                                        reader, SnapshotApi.KIND, namespace))));
    }
}
