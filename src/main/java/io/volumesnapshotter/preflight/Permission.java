package io.volumesnapshotter.preflight;

import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.schedule.ClaimSelection;
import io.volumesnapshotter.schedule.Schedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A right that the program's account needs.
 *
 * @param verb the verb
 * @param resource on what
 * @param namespace where; empty for all namespaces
 */
record Permission(String verb, ResourceDefinitionContext resource, Optional<String> namespace) {

    /** To write on a snapshot that it is consistent. */
    private static final String PATCH = "patch";

    /** To list claims, which lets deletions spare what a claim is being restored from. */
    static Permission toListClaims(Optional<String> namespace) {
        return new Permission("list", CoreApi.CLAIMS, namespace);
    }

    /**
     * All that a schedule needs.
     *
     * @param own the program's namespace
     */
    static List<Permission> of(Schedule schedule, String own) {
        ClaimSelection selection = schedule.policy().selection();
        boolean drills = schedule.policy().drill().isPresent();
        boolean takes = schedule.policy().takes();
        Optional<String> listed = selection.singleNamespace(own);
        List<Permission> rights = new ArrayList<>();
        rights.add(new Permission("list", SnapshotApi.KIND, listed));
        if ((takes || drills) && !selection.isByName()) {
            rights.add(new Permission("list", CoreApi.CLAIMS, listed));
        }
        if (takes && selection.isByName() && schedule.policy().readClaims()) {
            namespaces(selection, own)
                    .forEach(
                            namespace ->
                                    rights.add(new Permission("get", CoreApi.CLAIMS, namespace)));
        }
        if (selection.namespaceSelector().isPresent()) {
            rights.add(new Permission("list", CoreApi.NAMESPACES, Optional.empty()));
        }
        for (Optional<String> namespace : namespaces(selection, own)) {
            if (takes) {
                rights.add(new Permission("create", SnapshotApi.KIND, namespace));
            }
            if (drills) {
                rights.addAll(ofDrill(namespace));
                continue;
            }
            if (schedule.policy().quiesce().isPresent()) {
                rights.add(new Permission(PATCH, SnapshotApi.KIND, namespace));
            }
            rights.add(new Permission("delete", SnapshotApi.KIND, namespace));
        }
        return rights;
    }

    private static List<Permission> ofDrill(Optional<String> namespace) {
        return Stream.of(CoreApi.CLAIMS, CoreApi.PODS)
                .flatMap(
                        kind ->
                                Stream.of("get", "list", "create", "delete")
                                        .map(verb -> new Permission(verb, kind, namespace)))
                .toList();
    }

    private static List<Optional<String>> namespaces(ClaimSelection selection, String own) {
        Optional<String> single = selection.singleNamespace(own);
        if (single.isPresent()
                || selection.namespaceSelector().isPresent()
                || selection.namespaces().exact().isEmpty()) {
            return List.of(single);
        }
        return selection.namespaces().exact().stream().map(Optional::of).toList();
    }

    /** The manifests that grant it. */
    String grantedIn(String own) {
        if (verb.equals(PATCH)) {
            return "k8s/components/hooks";
        }
        boolean changesClaims =
                resource == CoreApi.CLAIMS && List.of("create", "delete").contains(verb);
        if (resource == CoreApi.PODS || changesClaims) {
            return "k8s/components/drill";
        }
        if (!namespace.equals(Optional.of(own))) {
            return "k8s/components/cluster-wide";
        }
        if (resource != CoreApi.CLAIMS) {
            return "k8s/role.yaml";
        }
        return verb.equals("get") ? "k8s/components/read-claims" : "k8s/components/select-claims";
    }

    /** In words: {@code list volumesnapshots in namespace shop}. */
    @Override
    public String toString() {
        String what = verb + " " + resource.getPlural();
        return resource == CoreApi.NAMESPACES ? what : what + " in " + where(namespace);
    }

    static String where(Optional<String> namespace) {
        return namespace.map(name -> "namespace " + name).orElse("all namespaces");
    }
}
