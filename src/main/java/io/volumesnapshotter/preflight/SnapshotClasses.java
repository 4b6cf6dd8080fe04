package io.volumesnapshotter.preflight;

import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.schedule.FoundClaim;
import io.volumesnapshotter.snapshot.Claim;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The VolumeSnapshotClasses of the cluster, and what is to be said of those that schedules and
 * claims use. Claims of which the same is to be said are told together.
 */
final class SnapshotClasses {

    private static final int NAMED = 3;

    private static final String DEFAULT_CLASS = "snapshot.storage.kubernetes.io/is-default-class";

    private static final ResourceDefinitionContext CLASS =
            new ResourceDefinitionContext.Builder()
                    .withGroup(SnapshotApi.KIND.getGroup())
                    .withVersion(SnapshotApi.KIND.getVersion())
                    .withPlural("volumesnapshotclasses")
                    .withKind("VolumeSnapshotClass")
                    .withNamespaced(false)
                    .build();

    private static final String DRIVER = ApiObject.field("driver");

    private static final String DELETION_POLICY = ApiObject.field("deletionPolicy");

    private static final List<String> CLASS_FIELDS =
            List.of(ApiObject.NAME, DRIVER, DELETION_POLICY, ApiObject.annotation(DEFAULT_CLASS));

    /** A VolumeSnapshotClass. */
    private record SnapshotClass(String driver, boolean retains, boolean isDefault) {}

    private final ClusterLook look;
    private final Map<String, SnapshotClass> classes = new TreeMap<>();
    private final Map<Optional<String>, Map<String, Set<Claim>>> byClassAndDriver =
            new LinkedHashMap<>();

    private SnapshotClasses(ClusterLook look, Map<String, ApiObject> objects) {
        this.look = look;
        objects.forEach((name, object) -> classes.put(name, snapshotClass(object)));
    }

    /** Those that there are; empty when the program's account may not list them. */
    static Optional<SnapshotClasses> of(ClusterLook look) {
        Optional<SnapshotClasses> classes =
                look.all(CLASS, CLASS_FIELDS).map(objects -> new SnapshotClasses(look, objects));
        if (classes.isEmpty()) {
            look.tell(
                    Finding.info(
                            "snapshot classes",
                            "they are not looked at, because the program's account may not list"
                                    + " volumesnapshotclasses",
                            ClusterCheck.OPTIONAL));
        }
        return classes;
    }

    private static SnapshotClass snapshotClass(ApiObject object) {
        return new SnapshotClass(
                object.text(DRIVER, ""),
                "Retain".equals(object.text(DELETION_POLICY)),
                "true".equals(object.text(ApiObject.annotation(DEFAULT_CLASS))));
    }

    /** Tells what is wrong with a class that is named. */
    void tell(String name) {
        SnapshotClass found = classes.get(name);
        if (found == null) {
            look.tell(
                    Finding.error(
                            "snapshot class " + name,
                            "there is none",
                            classes.isEmpty()
                                    ? "create a VolumeSnapshotClass for the claims' CSI driver"
                                    : "create it or name another; there are "
                                            + String.join(", ", classes.keySet())));
        } else if (found.retains()) {
            look.tell(
                    Finding.warn(
                            "snapshot class " + name,
                            "its deletionPolicy is Retain, so deleting a VolumeSnapshot frees"
                                    + " nothing on storage",
                            "use a class with deletionPolicy Delete, or delete the"
                                    + " VolumeSnapshotContents and what they stand for yourself"));
        }
    }

    /** Tells if no driver has a default class. */
    void tellAnyDefault() {
        if (classes.values().stream().noneMatch(SnapshotClass::isDefault)) {
            look.tell(
                    Finding.error(
                            "snapshot classes",
                            "none is the default of any driver, and none is named",
                            "set snapshot-class-name, or annotate a class with "
                                    + DEFAULT_CLASS
                                    + "=true"));
        }
    }

    /** Counts a claim of which a snapshot is to be taken, with the class that is named for it. */
    void add(FoundClaim claim, Optional<String> className) {
        className.ifPresent(this::tell);
        claim.driver()
                .ifPresent(
                        driver ->
                                byClassAndDriver
                                        .computeIfAbsent(className, any -> new TreeMap<>())
                                        .computeIfAbsent(driver, any -> new LinkedHashSet<>())
                                        .add(claim.name()));
    }

    /** Tells what is wrong with the classes of the claims that were counted. */
    void tellGroups() {
        byClassAndDriver.forEach(
                (className, byDriver) ->
                        byDriver.forEach((driver, of) -> tell(className, driver, of)));
    }

    private void tell(Optional<String> className, String driver, Set<Claim> of) {
        List<String> ofDriver =
                classes.entrySet().stream()
                        .filter(entry -> entry.getValue().driver().equals(driver))
                        .map(Map.Entry::getKey)
                        .toList();
        String there =
                ofDriver.isEmpty()
                        ? "create a VolumeSnapshotClass of " + driver
                        : "name one of " + driver + ": " + String.join(", ", ofDriver);
        if (className.isPresent()) {
            SnapshotClass named = classes.get(className.get());
            if (named != null && !named.driver().equals(driver)) {
                look.tell(
                        Finding.error(
                                "snapshot class " + className.get(),
                                "it is of %s, and the driver of %s is %s"
                                        .formatted(named.driver(), text(of), driver),
                                there));
            }
            return;
        }
        List<String> defaults =
                ofDriver.stream().filter(name -> classes.get(name).isDefault()).toList();
        if (defaults.size() == 1) {
            tell(defaults.get(0));
        } else {
            look.tell(
                    Finding.error(
                            "snapshot classes of " + driver,
                            (defaults.isEmpty()
                                            ? "none is the default"
                                            : "several are the default, "
                                                    + String.join(", ", defaults))
                                    + ", and none is named for "
                                    + text(of),
                            there + "; or make one of them the default"));
        }
    }

    private static String text(Set<Claim> claims) {
        String first =
                claims.stream().limit(NAMED).map(Claim::toString).collect(Collectors.joining(", "));
        return claims.size() <= NAMED
                ? first
                : first + " and %,d more".formatted(claims.size() - NAMED);
    }
}
