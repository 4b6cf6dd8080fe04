package io.volumesnapshotter.preflight;

import com.fasterxml.jackson.core.JacksonException;
import io.fabric8.kubernetes.api.model.APIGroup;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.GroupVersionForDiscovery;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.VersionInfo;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ApiObject;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.kubernetes.ClusterReader;
import io.volumesnapshotter.kubernetes.CoreApi;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.kubernetes.SnapshotApi;
import io.volumesnapshotter.schedule.ClaimSelection;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.FoundClaim;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Looks whether the cluster lets schedules work: the API server, the snapshot API, rights,
 * namespaces, claims and snapshot classes. It reads only, and what the program's account may not
 * read is left out. One look is one instance.
 */
public final class ClusterCheck {

    /** So many named claims, and so many namespaces, are looked at one by one. */
    static final int MOST = 100;

    private static final int NAMED = 3;

    private static final String OPTIONAL = "k8s/components/preflight grants it";
    private static final String NO_CRD =
            "install the VolumeSnapshot CRDs and the snapshot controller of external-snapshotter";
    private static final String DEFAULT_CLASS = "snapshot.storage.kubernetes.io/is-default-class";

    private static final ResourceDefinitionContext REVIEW =
            new ResourceDefinitionContext.Builder()
                    .withGroup("authorization.k8s.io")
                    .withVersion("v1")
                    .withPlural("selfsubjectaccessreviews")
                    .withKind("SelfSubjectAccessReview")
                    .withNamespaced(false)
                    .build();

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
    private static final List<String> NAMESPACE = List.of(ApiObject.NAME, ApiObject.DELETED);

    private static final long PAGE = 500;

    /** A VolumeSnapshotClass. */
    private record SnapshotClass(String driver, boolean retains, boolean isDefault) {}

    private final KubernetesClient client;
    private final ClusterReader reader;
    private final Claims claims;
    private final ApiServerMonitor apiServer;
    private final List<Schedule> schedules;
    private final String own;
    private final Set<Finding> findings = new LinkedHashSet<>();
    private final Map<Permission, Optional<Boolean>> reviews = new HashMap<>();
    private final Map<Optional<String>, Boolean> claimsRead = new HashMap<>();

    /**
     * @param claims is told where claims may be listed
     * @param schedules whose needs are looked at; suspended ones need nothing
     */
    public ClusterCheck(
            KubernetesClient client,
            ApiServerMonitor apiServer,
            Claims claims,
            Collection<Schedule> schedules) {
        this.client = client;
        reader = new ClusterReader(client);
        this.claims = claims;
        this.apiServer = apiServer;
        this.schedules =
                schedules.stream().filter(schedule -> !schedule.policy().suspend()).toList();
        this.own = client.getNamespace();
    }

    /**
     * Looks at everything.
     *
     * @throws KubernetesClientException when the API server does not serve, so that nothing can be
     *     said of the rest
     */
    public List<Finding> look() {
        if (apiServerIsOne() && snapshotsAreServed()) {
            rights();
            namespaces();
            claimsAndClasses();
        }
        return List.copyOf(findings);
    }

    private void tell(Finding finding) {
        findings.add(finding);
    }

    // ---- the API

    private boolean apiServerIsOne() {
        String what = "API server " + client.getMasterUrl();
        try {
            VersionInfo version = ask(client::getKubernetesVersion).orElse(null);
            if (version != null && version.getGitVersion() != null) {
                tell(Finding.info(what, "Kubernetes " + version.getGitVersion(), ""));
            }
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == 401) {
                tell(Finding.essential(what, ErrorText.words(e), ApiErrors.remedy(e)));
                return false;
            }
            if (Causes.has(JacksonException.class, e)) {
                tell(
                        Finding.essential(
                                what,
                                "what answers is not a Kubernetes API",
                                "check the server's address in the kubeconfig"));
                return false;
            }
            throw e;
        }
    }

    private boolean snapshotsAreServed() {
        String group = SnapshotApi.KIND.getGroup();
        Optional<APIGroup> served = Optional.empty();
        try {
            served = Optional.ofNullable(client.getApiGroup(group));
        } catch (KubernetesClientException e) {
            if (isRefusal(e)) {
                return true;
            }
            throw e;
        }
        if (served.isEmpty()) {
            tell(Finding.essential("API " + group, "the cluster has none", NO_CRD));
            return false;
        }
        List<String> versions =
                served.get().getVersions().stream()
                        .map(GroupVersionForDiscovery::getVersion)
                        .toList();
        if (!versions.contains(SnapshotApi.KIND.getVersion())) {
            tell(
                    Finding.essential(
                            "API " + group,
                            "v1 is not served, only " + String.join(", ", versions),
                            "install the CRDs and the snapshot controller of external-snapshotter 4"
                                    + " or newer"));
            return false;
        }
        tell(Finding.info("API " + group, "v1 is served", ""));
        return true;
    }

    // ---- rights

    private void rights() {
        Set<Permission> needed = new LinkedHashSet<>();
        schedules.forEach(schedule -> needed.addAll(Permission.of(schedule, own)));
        boolean several = needed.stream().map(Permission::namespace).distinct().count() > 1;
        boolean asked = true;
        int granted = 0;
        for (Permission right : needed) {
            Optional<Boolean> answer = isGranted(right, several);
            if (answer.isEmpty()) {
                asked = false;
            } else if (answer.get()) {
                granted++;
            } else {
                tell(
                        Finding.essential(
                                "rights",
                                "the program's account may not " + right,
                                "grant it, as in " + right.grantedIn(own)));
            }
        }
        schedules.stream()
                .map(schedule -> schedule.policy().selection().singleNamespace(own))
                .distinct()
                .filter(where -> review(Permission.toListClaims(where)).orElse(false))
                .forEach(claims::markListable);
        if (!asked) {
            tell(
                    Finding.info(
                            "rights",
                            "whether volumesnapshots may be created and deleted cannot be asked",
                            "let the account create selfsubjectaccessreviews, as the ClusterRole"
                                    + " system:basic-user does"));
        } else if (granted == needed.size() && granted > 0) {
            tell(Finding.info("rights", "all " + granted + " that are needed are granted", ""));
        }
    }

    /** Whether a right is granted; empty when there is no way to know. */
    private Optional<Boolean> isGranted(Permission right, boolean several) {
        if (several && right.namespace().isPresent()) {
            Permission everywhere =
                    new Permission(right.verb(), right.resource(), Optional.empty());
            if (review(everywhere).orElse(false)) {
                return Optional.of(true);
            }
        }
        Optional<Boolean> answer = review(right);
        // A list is the proof, and the way to know where reviews are refused.
        boolean tried =
                right.verb().equals("list")
                        && answer.orElse(true)
                        && (answer.isEmpty() || right.resource() == SnapshotApi.KIND);
        return tried ? Optional.of(canList(right)) : answer;
    }

    private Optional<Boolean> review(Permission right) {
        return reviews.computeIfAbsent(right, this::askReview);
    }

    private Optional<Boolean> askReview(Permission right) {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("verb", right.verb());
        attributes.put("group", Objects.toString(right.resource().getGroup(), ""));
        attributes.put("resource", right.resource().getPlural());
        right.namespace().ifPresent(namespace -> attributes.put("namespace", namespace));
        GenericKubernetesResource review =
                new GenericKubernetesResourceBuilder()
                        .withApiVersion(REVIEW.getGroup() + "/" + REVIEW.getVersion())
                        .withKind(REVIEW.getKind())
                        .addToAdditionalProperties("spec", Map.of("resourceAttributes", attributes))
                        .build();
        return ask(() -> client.genericKubernetesResources(REVIEW).resource(review).create())
                .map(answer -> answer.<Boolean>get("status", "allowed"));
    }

    private boolean canList(Permission right) {
        try {
            reader.probe(right.resource(), right.namespace());
            return true;
        } catch (KubernetesClientException e) {
            if (isRefusal(e)) {
                return false;
            }
            if (e.getCode() == 404) {
                tell(Finding.essential("API", ErrorText.words(e), ApiErrors.remedy(e)));
                return true;
            }
            throw e;
        }
    }

    // ---- namespaces

    private void namespaces() {
        Set<String> used = new TreeSet<>();
        for (Schedule schedule : schedules) {
            ClaimSelection selection = schedule.policy().selection();
            if (selection.namespaceSelector().isEmpty()) {
                used.addAll(
                        selection.namespaces().isEmpty() ? List.of(own) : selection.namespaces());
            }
        }
        used.remove(Settings.ALL);
        Optional<Map<String, ApiObject>> all =
                used.equals(Set.of(own)) ? Optional.empty() : allNamespaces();
        if (all.isPresent()) {
            used.forEach(name -> tellNamespace(name, all.get().get(name)));
        } else {
            used.stream().limit(MOST).forEach(this::look);
        }
    }

    private void look(String namespace) {
        try {
            tellNamespace(
                    namespace,
                    reader.get(CoreApi.NAMESPACES, Optional.empty(), namespace, NAMESPACE)
                            .orElse(null));
        } catch (KubernetesClientException e) {
            if (!isRefusal(e)) {
                throw e;
            }
        }
    }

    private Optional<Map<String, ApiObject>> allNamespaces() {
        return all(CoreApi.NAMESPACES, NAMESPACE);
    }

    private void tellNamespace(String name, ApiObject namespace) {
        String what = "namespace " + name;
        if (namespace == null) {
            tell(
                    Finding.error(
                            what,
                            "there is none",
                            "create it or correct namespace in the settings or the schedule"));
        } else if (namespace.has(ApiObject.DELETED)) {
            tell(
                    Finding.error(
                            what,
                            "it is being deleted, so nothing can be created there",
                            "remove its claims from the schedule"));
        }
    }

    // ---- claims and classes

    private void claimsAndClasses() {
        Map<String, SnapshotClass> classes = classes().orElse(null);
        Map<Claim, Optional<FoundClaim>> named = namedClaims();
        Groups groups = new Groups();
        for (Schedule schedule : schedules) {
            Policy policy = schedule.policy();
            if (policy.pruneOnly().isPresent()) {
                continue;
            }
            if (classes != null) {
                policy.snapshotClassName().ifPresent(name -> tellClass(name, classes));
                policy.selection().classOfDriver().values().stream()
                        .distinct()
                        .forEach(name -> tellClass(name, classes));
            }
            if (!policy.selection().isByName()) {
                selected(schedule, classes, groups);
                continue;
            }
            boolean unknown = false;
            for (Claim claim : claims.named(schedule)) {
                FoundClaim found = named.getOrDefault(claim, Optional.empty()).orElse(null);
                unknown |= !named.containsKey(claim);
                if (found != null && classes != null && found.reasonToSkip().isEmpty()) {
                    groups.add(found, policy.snapshotClassName(), classes);
                }
            }
            if (unknown && classes != null && policy.snapshotClassName().isEmpty()) {
                tellAnyDefault(classes);
            }
        }
        groups.tell(classes);
    }

    private Optional<Map<String, SnapshotClass>> classes() {
        Optional<Map<String, SnapshotClass>> classes =
                all(CLASS, CLASS_FIELDS)
                        .map(
                                found -> {
                                    Map<String, SnapshotClass> byName = new TreeMap<>();
                                    found.forEach(
                                            (name, object) ->
                                                    byName.put(name, snapshotClass(object)));
                                    return byName;
                                });
        if (classes.isEmpty()) {
            tell(
                    Finding.info(
                            "snapshot classes",
                            "they are not looked at, because the program's account may not list"
                                    + " volumesnapshotclasses",
                            OPTIONAL));
        }
        return classes;
    }

    private static SnapshotClass snapshotClass(ApiObject object) {
        return new SnapshotClass(
                object.text(DRIVER, ""),
                "Retain".equals(object.text(DELETION_POLICY)),
                "true".equals(object.text(ApiObject.annotation(DEFAULT_CLASS))));
    }

    private void tellClass(String name, Map<String, SnapshotClass> classes) {
        SnapshotClass found = classes.get(name);
        if (found == null) {
            tell(
                    Finding.error(
                            "snapshot class " + name,
                            "there is none",
                            classes.isEmpty()
                                    ? "create a VolumeSnapshotClass for the claims' CSI driver"
                                    : "create it or name another; there are "
                                            + String.join(", ", classes.keySet())));
        } else if (found.retains()) {
            tell(
                    Finding.warn(
                            "snapshot class " + name,
                            "its deletionPolicy is Retain, so deleting a VolumeSnapshot frees"
                                    + " nothing on storage",
                            "use a class with deletionPolicy Delete, or delete the"
                                    + " VolumeSnapshotContents and what they stand for yourself"));
        }
    }

    private void tellAnyDefault(Map<String, SnapshotClass> classes) {
        if (classes.values().stream().noneMatch(SnapshotClass::isDefault)) {
            tell(
                    Finding.error(
                            "snapshot classes",
                            "none is the default of any driver, and none is named",
                            "set snapshot-class-name, or annotate a class with "
                                    + DEFAULT_CLASS
                                    + "=true"));
        }
    }

    /** The claims that schedules name, as far as they can be read; an empty one is not there. */
    private Map<Claim, Optional<FoundClaim>> namedClaims() {
        Set<Claim> all = new LinkedHashSet<>();
        schedules.stream()
                .filter(schedule -> schedule.policy().pruneOnly().isEmpty())
                .filter(schedule -> schedule.policy().selection().isByName())
                .forEach(schedule -> all.addAll(claims.named(schedule)));
        Map<Claim, Optional<FoundClaim>> read = new HashMap<>();
        Set<String> refused = new TreeSet<>();
        all.stream()
                .limit(MOST)
                .filter(claim -> !refused.contains(claim.namespace()))
                .forEach(
                        claim -> {
                            try {
                                read.put(claim, claims.get(claim));
                            } catch (KubernetesClientException e) {
                                if (!isRefusal(e)) {
                                    throw e;
                                }
                                refused.add(claim.namespace());
                            }
                        });
        read.forEach((claim, found) -> tellClaim(claim, found.orElse(null)));
        if (!refused.isEmpty()) {
            tell(
                    Finding.info(
                            "claims",
                            "those that are named are not looked at, because the program's account"
                                    + " may not get persistentvolumeclaims in namespace "
                                    + String.join(", ", refused),
                            OPTIONAL));
        }
        if (all.size() > MOST) {
            tell(
                    Finding.info(
                            "claims",
                            "of %,d that are named the first %d are looked at"
                                    .formatted(all.size(), MOST),
                            ""));
        }
        return read;
    }

    private void tellClaim(Claim claim, FoundClaim found) {
        String what = "claim " + claim;
        if (found == null) {
            tell(Finding.error(what, "there is none", "create it or correct claims and namespace"));
        } else {
            found.reasonToSkip()
                    .ifPresent(
                            reason ->
                                    tell(
                                            Finding.error(
                                                    what,
                                                    reason,
                                                    "no snapshot can be taken of it: mend it or"
                                                            + " remove it from the schedule")));
        }
    }

    private void selected(Schedule schedule, Map<String, SnapshotClass> classes, Groups groups) {
        Optional<String> where = schedule.policy().selection().singleNamespace(own);
        if (!claimsRead.getOrDefault(where, true)) {
            return;
        }
        List<FoundClaim> selected = ask(() -> claims.selected(schedule)).orElse(null);
        if (selected == null) {
            // The right that is missing is told with the others.
            claimsRead.put(where, false);
            return;
        }
        Map<Claim, String> skipped = new LinkedHashMap<>();
        for (FoundClaim claim : selected) {
            claim.reasonToSkip().ifPresent(reason -> skipped.put(claim.name(), reason));
            if (classes != null && claim.reasonToSkip().isEmpty()) {
                groups.add(claim, claims.classOf(claim, schedule.policy()), classes);
            }
        }
        String what = "schedule " + schedule.name();
        int taken = selected.size() - skipped.size();
        if (taken == 0) {
            tell(
                    Finding.warn(
                            what,
                            "it selects no claim of which a snapshot can be taken",
                            "look at claims and namespace of the schedule"));
        } else {
            tell(Finding.info(what, "claims that it takes now: %,d".formatted(taken), ""));
        }
        if (!skipped.isEmpty()) {
            Map.Entry<Claim, String> first = skipped.entrySet().iterator().next();
            tell(
                    Finding.warn(
                            what,
                            "claims that it selects and skips: %,d; of %s %s"
                                    .formatted(skipped.size(), first.getKey(), first.getValue()),
                            "mend them, or keep them out by the annotation "
                                    + Claims.SNAPSHOT
                                    + "=false"));
        }
    }

    /** Claims that have the same to be said of their class and driver. */
    private final class Groups {

        private final Map<Optional<String>, Map<String, Set<Claim>>> byClassAndDriver =
                new LinkedHashMap<>();

        void add(FoundClaim claim, Optional<String> className, Map<String, SnapshotClass> classes) {
            className.ifPresent(name -> tellClass(name, classes));
            claim.driver()
                    .ifPresent(
                            driver ->
                                    byClassAndDriver
                                            .computeIfAbsent(className, any -> new TreeMap<>())
                                            .computeIfAbsent(driver, any -> new LinkedHashSet<>())
                                            .add(claim.name()));
        }

        void tell(Map<String, SnapshotClass> classes) {
            byClassAndDriver.forEach(
                    (className, byDriver) ->
                            byDriver.forEach((driver, of) -> tell(className, driver, of, classes)));
        }

        private void tell(
                Optional<String> className,
                String driver,
                Set<Claim> of,
                Map<String, SnapshotClass> classes) {
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
                    ClusterCheck.this.tell(
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
                tellClass(defaults.get(0), classes);
            } else {
                ClusterCheck.this.tell(
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
                    claims.stream()
                            .limit(NAMED)
                            .map(Claim::toString)
                            .collect(Collectors.joining(", "));
            return claims.size() <= NAMED
                    ? first
                    : first + " and %,d more".formatted(claims.size() - NAMED);
        }
    }

    // ---- requests

    /** All objects of a kind, by name; empty when that is refused or there is none such. */
    private Optional<Map<String, ApiObject>> all(
            ResourceDefinitionContext kind, List<String> fields) {
        return ask(() -> reader.list(kind, Optional.empty(), null, PAGE, fields, Optional::of))
                .map(
                        list ->
                                list.stream()
                                        .collect(
                                                Collectors.toMap(
                                                        object -> object.text(ApiObject.NAME),
                                                        object -> object,
                                                        (one, other) -> one)));
    }

    /** The answer; empty when it is refused or there is none such. */
    private <T> Optional<T> ask(Supplier<T> request) {
        try {
            return Optional.ofNullable(request.get());
        } catch (KubernetesClientException e) {
            if (isRefusal(e) || e.getCode() == 404) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** A server that is still starting refuses everything; that says nothing. */
    private boolean isRefusal(KubernetesClientException answer) {
        return answer.getCode() == 403 && !apiServer.isRestarting();
    }
}
