package io.volumesnapshotter.kubernetes;

import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.util.Map;
import java.util.Optional;

/**
 * One request that changes an object. Changes and deletions name the version of the object that
 * they were decided on, so that the API server refuses them when it has changed since.
 *
 * @param verb as rights name it: create, patch or delete
 * @param kind the object's kind
 * @param namespace its namespace; empty for one that is in none
 * @param name its name
 * @param body what is sent
 */
public record Change(
        String verb,
        ResourceDefinitionContext kind,
        Optional<String> namespace,
        String name,
        Object body) {

    /** Creates an object. */
    public static Change create(
            ResourceDefinitionContext kind,
            Optional<String> namespace,
            String name,
            Map<String, Object> object) {
        return new Change("create", kind, namespace, name, object);
    }

    /**
     * Changes fields of an object.
     *
     * @param patch a merge patch with {@code metadata.resourceVersion}
     */
    public static Change patch(
            ResourceDefinitionContext kind,
            Optional<String> namespace,
            String name,
            Map<String, Object> patch) {
        return new Change("patch", kind, namespace, name, patch);
    }

    /** Deletes an object, if it is still that version. */
    public static Change delete(
            ResourceDefinitionContext kind,
            Optional<String> namespace,
            String name,
            String uid,
            String resourceVersion) {
        return new Change(
                "delete",
                kind,
                namespace,
                name,
                new DeleteOptionsBuilder()
                        .withNewPreconditions()
                        .withUid(uid)
                        .withResourceVersion(resourceVersion)
                        .endPreconditions()
                        .build());
    }

    /** In words: {@code create PersistentVolumeClaim apps/data}. */
    @Override
    public String toString() {
        return "%s %s %s%s"
                .formatted(verb, kind.getKind(), namespace.map(ns -> ns + "/").orElse(""), name);
    }
}
