package io.volumesnapshotter.restore;

import io.volumesnapshotter.kubernetes.Change;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.RecordedClaim;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A claim that is to be filled from a snapshot. What it is like comes from what was asked for, else
 * from what is written on the snapshot, else from the claim that the snapshot was taken of, if that
 * is still there.
 *
 * @param sizeFrom which of the sizes it has, in words
 * @param from the snapshot
 */
public record NewClaim(
        Claim claim,
        String storageClass,
        List<String> accessModes,
        String volumeMode,
        Size size,
        String sizeFrom,
        Map<String, String> labels,
        Restorable from) {

    /** Annotation of a restored claim: the snapshot that it was filled from. */
    public static final String RESTORED_FROM = "volume-snapshotter/restored-from";

    /** Annotation of a restored claim: when that snapshot's data was cut. */
    public static final String RESTORED_CUT = "volume-snapshotter/restored-cut";

    /** Annotation of a restored claim: which restore made it. */
    static final String RESTORE = "volume-snapshotter/restore";

    private static final List<String> ACCESS_MODES =
            List.of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod");
    private static final List<String> VOLUME_MODES = List.of("Filesystem", "Block");
    private static final String FILESYSTEM = "Filesystem";

    /**
     * What is asked for.
     *
     * @param target the claim to make
     * @param labels its labels
     */
    public record Wish(
            Claim target,
            Optional<String> storageClass,
            Optional<String> size,
            List<String> accessModes,
            Optional<String> volumeMode,
            Map<String, String> labels) {

        /** Nothing but the name. */
        public static Wish of(Claim target) {
            return new Wish(
                    target,
                    Optional.empty(),
                    Optional.empty(),
                    List.of(),
                    Optional.empty(),
                    Map.of());
        }
    }

    private record Candidate(Size size, String words) {}

    /**
     * Decides what the claim is.
     *
     * @param original the claim that the snapshot was taken of, if one of its name is still there
     * @throws RefusedException when something is missing or does not fit
     */
    public static NewClaim of(Wish wish, Restorable from, Optional<RecordedClaim> original) {
        Claim target = wish.target();
        if (!ObjectNames.isSubdomain(target.name())) {
            throw new RefusedException(
                    "\"%s\" can be no name of a claim".formatted(target.name()),
                    "use lower case letters, digits, '-' and '.'");
        }
        if (!target.namespace().equals(from.snapshot().claim().namespace())) {
            throw new RefusedException(
                    "a claim in namespace %s cannot be filled from a snapshot in namespace %s"
                            .formatted(target.namespace(), from.snapshot().claim().namespace()),
                    "restore into the snapshot's own namespace");
        }
        String volumeMode = volumeMode(wish, from, original);
        Candidate size = size(wish, from, original);
        return new NewClaim(
                target,
                first(wish.storageClass(), from, original, RecordedClaim::storageClass)
                        .filter(name -> !name.isEmpty())
                        .orElseThrow(
                                () ->
                                        unknown(
                                                from,
                                                "storage class",
                                                "--storage-class, such as kubectl get storageclass"
                                                        + " lists them")),
                accessModes(wish, from, original),
                volumeMode,
                size.size(),
                size.words(),
                wish.labels(),
                from);
    }

    private static RefusedException unknown(Restorable from, String what, String option) {
        return new RefusedException(
                "the %s is not known: it is not written on snapshot %s, and claim %s is gone"
                        .formatted(what, from.name(), from.snapshot().claim().name()),
                "give " + option);
    }

    private static <T> Optional<T> first(
            Optional<T> wish,
            Restorable from,
            Optional<RecordedClaim> original,
            Function<RecordedClaim, Optional<T>> field) {
        return wish.or(() -> field.apply(from.claim())).or(() -> original.flatMap(field));
    }

    private static List<String> accessModes(
            Wish wish, Restorable from, Optional<RecordedClaim> original) {
        for (String mode : wish.accessModes()) {
            if (!ACCESS_MODES.contains(mode)) {
                throw new RefusedException(
                        "there is no access mode \"%s\"".formatted(mode),
                        "give one of " + String.join(", ", ACCESS_MODES));
            }
        }
        return Stream.of(
                        wish.accessModes(),
                        from.claim().accessModes(),
                        original.map(RecordedClaim::accessModes).orElse(List.of()))
                .filter(modes -> !modes.isEmpty())
                .findFirst()
                .orElseThrow(
                        () ->
                                unknown(
                                        from,
                                        "access mode",
                                        "--access-mode, one of "
                                                + String.join(", ", ACCESS_MODES)));
    }

    private static String volumeMode(Wish wish, Restorable from, Optional<RecordedClaim> original) {
        Optional<String> known = first(Optional.empty(), from, original, RecordedClaim::volumeMode);
        String wanted = wish.volumeMode().or(() -> known).orElse(FILESYSTEM);
        if (!VOLUME_MODES.contains(wanted)) {
            throw new RefusedException(
                    "there is no volume mode \"%s\"".formatted(wanted),
                    "give one of " + String.join(", ", VOLUME_MODES));
        }
        if (known.isPresent() && !known.get().equals(wanted)) {
            throw new RefusedException(
                    "snapshot %s is of volume mode %s, and a claim of mode %s cannot be filled from"
                                    .formatted(from.name(), known.get(), wanted)
                            + " it",
                    "leave --volume-mode out");
        }
        return wanted;
    }

    private static Candidate size(Wish wish, Restorable from, Optional<RecordedClaim> original) {
        List<Candidate> known = new ArrayList<>();
        from.restoreSize()
                .ifPresent(size -> known.add(new Candidate(size, "the snapshot's restoreSize")));
        add(known, from.claim().capacity(), "the claim's capacity when the snapshot was taken");
        add(known, from.claim().request(), "what the claim asked for when it was taken");
        if (from.claim().capacity().isEmpty() && from.claim().request().isEmpty()) {
            original.ifPresent(
                    claim -> {
                        add(known, claim.capacity(), "the claim's capacity now");
                        add(known, claim.request(), "what the claim asks for now");
                    });
        }
        Optional<Candidate> largest =
                known.stream().reduce((a, b) -> b.size().compareTo(a.size()) > 0 ? b : a);
        if (wish.size().isEmpty()) {
            return largest.orElseThrow(
                    () -> unknown(from, "size", "--size, at least as large as the claim was"));
        }
        Size wanted =
                Size.read(wish.size().get())
                        .filter(size -> !size.isZero())
                        .orElseThrow(
                                () ->
                                        new RefusedException(
                                                "\"%s\" is no size".formatted(wish.size().get()),
                                                "give one such as 10Gi"));
        Optional<Candidate> least =
                from.restoreSize()
                        .map(size -> new Candidate(size, "the snapshot's restoreSize"))
                        .or(() -> largest);
        if (least.isPresent() && wanted.compareTo(least.get().size()) < 0) {
            throw new RefusedException(
                    "%s is less than %s, which is %s"
                            .formatted(wanted, least.get().size(), least.get().words()),
                    "give at least " + least.get().size());
        }
        return new Candidate(wanted, "as asked for");
    }

    private static void add(List<Candidate> known, Optional<String> text, String words) {
        text.flatMap(Size::read)
                .filter(size -> !size.isZero())
                .ifPresent(size -> known.add(new Candidate(size, words)));
    }

    /**
     * Checks it against the classes that it and its snapshot are of.
     *
     * @param provisioner the driver of its storage class; empty when there is no such class
     * @param driver the driver of the snapshot's class; empty when that is not known
     * @throws RefusedException when they do not fit
     */
    public void check(Optional<String> provisioner, Optional<String> driver) {
        if (provisioner.isEmpty()) {
            throw new RefusedException(
                    "there is no storage class " + storageClass,
                    "give --storage-class, such as kubectl get storageclass lists them");
        }
        if (driver.isPresent() && !driver.equals(provisioner)) {
            throw new RefusedException(
                    "storage class %s is of driver %s, and snapshot %s of driver %s"
                            .formatted(storageClass, provisioner.get(), from.name(), driver.get()),
                    "give --storage-class with a class of driver " + driver.get());
        }
    }

    /**
     * What creates it.
     *
     * @param restore tells this restore from others
     * @param annotations beside those of a restore
     */
    public Change create(String restore, Map<String, String> annotations) {
        return Change.create(
                CoreApi.CLAIMS,
                Optional.of(claim.namespace()),
                claim.name(),
                manifest(restore, annotations));
    }

    /**
     * This claim with at least the size that is requested, so that it can take the place of the
     * claim that requests it.
     */
    NewClaim atLeast(Optional<String> request) {
        Optional<Size> least = request.flatMap(Size::read).filter(s -> s.compareTo(size) > 0);
        return least.isEmpty()
                ? this
                : new NewClaim(
                        claim,
                        storageClass,
                        accessModes,
                        volumeMode,
                        least.get(),
                        "what the claim asks for now",
                        labels,
                        from);
    }

    /** It as the API takes it. */
    Map<String, Object> manifest(String restore, Map<String, String> more) {
        Map<String, String> annotations = new LinkedHashMap<>(more);
        annotations.put(RESTORED_FROM, from.name());
        annotations.put(RESTORED_CUT, from.snapshot().takenAt().toString());
        annotations.put(RESTORE, restore);
        Map<String, Object> spec = new LinkedHashMap<>();
        spec.put("accessModes", accessModes);
        spec.put("storageClassName", storageClass);
        spec.put("volumeMode", volumeMode);
        spec.put("resources", Map.of("requests", Map.of("storage", size.text())));
        spec.put(
                "dataSource",
                Map.of(
                        "apiGroup",
                        "snapshot.storage.k8s.io",
                        "kind",
                        "VolumeSnapshot",
                        "name",
                        from.name()));
        return Map.of(
                "apiVersion",
                "v1",
                "kind",
                "PersistentVolumeClaim",
                "metadata",
                Map.of(
                        "name",
                        claim.name(),
                        "namespace",
                        claim.namespace(),
                        "labels",
                        labels,
                        "annotations",
                        annotations),
                "spec",
                spec);
    }
}
