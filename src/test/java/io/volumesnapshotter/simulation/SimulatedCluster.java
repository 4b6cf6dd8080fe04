package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * A Kubernetes cluster with a CSI driver that can snapshot, as far as its clients can tell: the API
 * of a 1.36 server over HTTP with its refusals, RBAC, and a driver that takes its time. {@code
 * ClusterContractTest} keeps it from drifting away from a real one.
 *
 * <p>It begins with one namespace, one storage class and one default snapshot class; the program's
 * ServiceAccount may create, get, list and delete volumesnapshots in that namespace.
 */
public final class SimulatedCluster implements AutoCloseable {

    /** The namespace of a cluster that was started without one. */
    public static final String NAMESPACE = "apps";

    /** The name of the program's ServiceAccount. */
    public static final String SERVICE_ACCOUNT = "volume-snapshotter";

    /** The resource as {@link AccessRules} names it. */
    public static final String SNAPSHOTS = ResourceType.SNAPSHOT.qualified();

    public static final String DRIVER = "hostpath.csi.k8s.io";
    public static final String SNAPSHOT_CLASS = "csi-hostpath-snapclass";
    public static final String GROUP_SNAPSHOT_CLASS = "csi-hostpath-groupsnapclass";
    public static final String STORAGE_CLASS = "csi-hostpath-sc";

    private static final String ADMIN_TOKEN = "admin";
    private static final String LONG_AGO = "2020-01-01T00:00:00Z";

    private final ObjectStore store = new ObjectStore();
    private final ResourceApi api = new ResourceApi(store);
    private final ClusterContent content = new ClusterContent(api::now);
    private final RequestLog log = new RequestLog();
    private final Faults faults = new Faults();
    private final SimulatedDriver driver = new SimulatedDriver();
    private final StorageContents contents = new StorageContents();
    private final Provisioner provisioner;
    private final VolumeController volumes;
    private final SimulatedStorage storage;
    private final SimulatedPods pods;
    private final ScheduledThreadPoolExecutor controllers =
            new ScheduledThreadPoolExecutor(1, ApiServer::daemon);
    private final Set<String> knownClaims = ConcurrentHashMap.newKeySet();
    private final String program;
    private final AccessRules access;
    private final ApiFrontDoor frontDoor;
    private final ApiServer server;
    private final ReservedPort reserved;
    private final int port;
    private volatile String token = UUID.randomUUID().toString();
    private KubernetesClient admin;

    private SimulatedCluster(int port, String namespace) {
        program = "system:serviceaccount:" + namespace + ":" + SERVICE_ACCOUNT;
        access = new AccessRules(store, program);
        access.token(ADMIN_TOKEN, AccessRules.ADMIN);
        access.token(token, program);
        access.grant(namespace, SNAPSHOTS, "create", "get", "list", "delete");
        controllers.setRemoveOnCancelPolicy(true);
        controllers.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        controllers.setRejectedExecutionHandler((task, executor) -> {});
        EventRecorder events = new EventRecorder(store, api::now);
        new SnapshotController(store, driver, api, contents, events, controllers);
        new GroupController(store, driver, api, contents, events, controllers);
        provisioner = new Provisioner(store, content, contents, driver, events);
        volumes = new VolumeController(store, provisioner, events, controllers);
        pods = new SimulatedPods(store, contents, api::now);
        new PodController(store, driver, pods, events, controllers);
        new Housekeeping(store, api, controllers);
        namespace(namespace);
        storage = new SimulatedStorage(store, content, contents, driver);
        storage.storageClass(STORAGE_CLASS, DRIVER, "Immediate");
        snapshotClass(SNAPSHOT_CLASS, DRIVER, true, "Delete");
        frontDoor = new ApiFrontDoor(api, access, faults, log, pods);
        server = new ApiServer(frontDoor);
        reserved = port == 0 ? ReservedPort.any() : null;
        this.port = server.listen(reserved == null ? port : reserved.number());
    }

    /** Starts a cluster on a free port, with the namespace {@link #NAMESPACE}. */
    public static SimulatedCluster start() {
        return start(0, NAMESPACE);
    }

    /** Starts a cluster on a free port with bound claims in the namespace {@link #NAMESPACE}. */
    public static SimulatedCluster withClaims(String... names) {
        SimulatedCluster cluster = start();
        for (String name : names) {
            cluster.claim(NAMESPACE, name);
        }
        return cluster;
    }

    /** Starts a cluster on this port, with the namespace {@link #NAMESPACE}. */
    public static SimulatedCluster start(int port) {
        return start(port, NAMESPACE);
    }

    /** Starts a cluster on a free port, with the program in this namespace. */
    public static SimulatedCluster start(String namespace) {
        return start(0, namespace);
    }

    /** Starts a cluster on this port (0 for a free one), with the program in this namespace. */
    public static SimulatedCluster start(int port, String namespace) {
        return new SimulatedCluster(port, namespace);
    }

    @Override
    public void close() {
        faults.clear();
        if (admin != null) {
            admin.close();
        }
        controllers.shutdownNow();
        server.close();
        if (reserved != null) {
            try {
                reserved.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    // ---- ways in

    /** The address of the API server. */
    public String url() {
        return "http://127.0.0.1:" + port;
    }

    /** The settings of a client with the program's ServiceAccount, without retries of its own. */
    public Config config(String namespace) {
        return config(token, namespace);
    }

    private Config config(String token, String namespace) {
        return new ConfigBuilder(Config.empty())
                .withMasterUrl(url())
                .withOauthToken(token)
                .withNamespace(namespace)
                .withRequestRetryBackoffLimit(0)
                .build();
    }

    /** A client that may do everything and does not appear in the log. */
    public synchronized KubernetesClient admin() {
        if (admin == null) {
            admin =
                    new KubernetesClientBuilder()
                            .withConfig(config(ADMIN_TOKEN, "default"))
                            .build();
        }
        return admin;
    }

    /** The program's present token. */
    public String token() {
        return token;
    }

    /** Gives the program another token; the old one is answered with 401 from now on. */
    public String rotateToken() {
        String old = token;
        token = UUID.randomUUID().toString();
        access.token(token, program);
        access.forget(old);
        return token;
    }

    /** Writes a kubeconfig with the program's token, for a process of its own. */
    public Path kubeconfig(Path file, String namespace) {
        return kubeconfig(file, namespace, token);
    }

    /** Writes a kubeconfig with which everything is allowed. */
    public Path adminKubeconfig(Path file, String namespace) {
        return kubeconfig(file, namespace, ADMIN_TOKEN);
    }

    /**
     * Writes a kubeconfig with which kubectl may do everything. It sends no token over plain HTTP,
     * so the address has it.
     */
    public Path kubectlConfig(Path file, String namespace) {
        return kubeconfig(file, namespace, ADMIN_TOKEN, url() + ApiFrontDoor.AS + ADMIN_TOKEN);
    }

    private Path kubeconfig(Path file, String namespace, String token) {
        return kubeconfig(file, namespace, token, url());
    }

    private Path kubeconfig(Path file, String namespace, String token, String server) {
        String text =
                """
                apiVersion: v1
                kind: Config
                clusters:
                - name: simulated
                  cluster:
                    server: %s
                users:
                - name: user
                  user:
                    token: %s
                contexts:
                - name: simulated
                  context:
                    cluster: simulated
                    user: user
                    namespace: %s
                current-context: simulated
                """;
        try {
            return Files.writeString(file, text.formatted(server, token, namespace));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- what to look at and to turn

    public SimulatedDriver driver() {
        return driver;
    }

    public SimulatedPods pods() {
        return pods;
    }

    public SimulatedStorage storage() {
        return storage;
    }

    public AccessRules access() {
        return access;
    }

    public Faults faults() {
        return faults;
    }

    public RequestLog log() {
        return log;
    }

    /** The snapshots of a namespace by name, straight from the store. */
    public List<SimulatedSnapshot> snapshots(String namespace) {
        return store.all(ResourceType.SNAPSHOT, namespace).stream()
                .map(SimulatedSnapshot::of)
                .toList();
    }

    /** Names of the snapshots of a namespace that are not being deleted, in order. */
    public List<String> kept(String namespace) {
        return snapshots(namespace).stream()
                .filter(snapshot -> !snapshot.terminating())
                .map(SimulatedSnapshot::name)
                .sorted()
                .toList();
    }

    /** The snapshots of a claim by name, straight from the store. */
    public List<SimulatedSnapshot> snapshots(String namespace, String claim) {
        return snapshots(namespace).stream().filter(s -> s.claim().equals(claim)).toList();
    }

    /**
     * Tells of every change of a snapshot while nothing else can change; from the first version to
     * the one that is gone, which are told with a null before and after.
     */
    public void watch(BiConsumer<SimulatedSnapshot, SimulatedSnapshot> watcher) {
        store.listen(
                (type, before, now) -> {
                    if (type.equals(ResourceType.SNAPSHOT)) {
                        watcher.accept(
                                before == null ? null : SimulatedSnapshot.of(before),
                                now == null ? null : SimulatedSnapshot.of(now));
                    }
                });
    }

    /** The cluster's clock, which stamps creationTimestamp. */
    public void clock(Clock clock) {
        api.clock(clock);
    }

    /** Makes the next page of every list that is under way a 410. */
    public void expireLists() {
        api.pages().expire();
    }

    // ---- content

    /** Makes a namespace. */
    public void namespace(String name) {
        ObjectNode namespace = content.object(ResourceType.NAMESPACE, "", name);
        namespace.putObject("status").put("phase", "Active");
        store.put(ResourceType.NAMESPACE, namespace);
    }

    /** Lets a namespace terminate, for ever. */
    public void terminate(String namespace) {
        synchronized (store) {
            ObjectNode terminating = store.copy(ResourceType.NAMESPACE, "", namespace);
            Json.addFinalizer(terminating, "volumesnapshotter.io/terminates-for-ever");
            api.markDeleted(ResourceType.NAMESPACE, terminating);
        }
    }

    /** Makes a bound claim of the driver. */
    public void claim(String namespace, String name) {
        claim(namespace, name, Map.of());
    }

    /** Makes a bound claim of the driver with these labels. */
    public void claim(String namespace, String name, Map<String, String> labels) {
        claim(namespace, name, labels, Map.of());
    }

    /**
     * Makes a bound claim of the driver with these labels and annotations. The first one of a name
     * has been there for long, one that is made anew is new.
     */
    public void claim(
            String namespace,
            String name,
            Map<String, String> labels,
            Map<String, String> annotations) {
        ObjectNode claim = content.unbound(namespace, name, labels, annotations);
        if (knownClaims.add(namespace + "/" + name)) {
            Json.metadata(claim).put("creationTimestamp", LONG_AGO);
        }
        Json.addFinalizer(claim, VolumeRules.CLAIM_PROTECTION);
        Json.metadata(claim)
                .withObjectProperty("annotations")
                .put(VolumeController.BIND_COMPLETED, "yes")
                .put(VolumeController.BOUND_BY_CONTROLLER, "yes")
                .put(SnapshotSources.PROVISIONER, DRIVER);
        synchronized (store) {
            ObjectNode storageClass = store.get(ResourceType.STORAGE_CLASS, "", STORAGE_CLASS);
            ObjectNode volume = provisioner.make(claim, storageClass, null);
            claim.withObjectProperty("spec").put("volumeName", Json.name(volume));
            ObjectNode status = claim.putObject("status").put("phase", "Bound");
            status.set("accessModes", claim.path("spec").path("accessModes").deepCopy());
            status.set("capacity", volume.path("spec").path("capacity").deepCopy());
            store.put(ResourceType.CLAIM, claim);
        }
    }

    /** Makes a claim that is Pending and stays so. */
    public void pendingClaim(String namespace, String name) {
        ObjectNode claim = content.unbound(namespace, name, Map.of(), Map.of());
        claim.putObject("status").put("phase", "Pending");
        volumes.leaveAlone(Json.uid(claim));
        store.put(ResourceType.CLAIM, claim);
    }

    /** Makes a claim that is Pending and to be filled from a snapshot. */
    public void restoringClaim(String namespace, String name, String snapshot) {
        ObjectNode claim = content.unbound(namespace, name, Map.of(), Map.of());
        for (String field : List.of("dataSource", "dataSourceRef")) {
            claim.withObjectProperty("spec")
                    .putObject(field)
                    .put("apiGroup", "snapshot.storage.k8s.io")
                    .put("kind", "VolumeSnapshot")
                    .put("name", snapshot);
        }
        claim.putObject("status").put("phase", "Pending");
        volumes.leaveAlone(Json.uid(claim));
        store.put(ResourceType.CLAIM, claim);
    }

    /** Deletes a claim, whatever uses it. */
    public void withoutClaim(String namespace, String name) {
        store.remove(ResourceType.CLAIM, namespace, name);
    }

    /**
     * Makes a snapshot class.
     *
     * @param deletionPolicy Delete or Retain
     */
    public void snapshotClass(
            String name, String driver, boolean isDefault, String deletionPolicy) {
        ObjectNode snapshotClass = content.snapshotClass(name, driver, isDefault, deletionPolicy);
        store.put(ResourceType.SNAPSHOT_CLASS, snapshotClass);
    }

    /** Removes a snapshot class. */
    public void withoutSnapshotClass(String name) {
        store.remove(ResourceType.SNAPSHOT_CLASS, "", name);
    }

    /** Bounds the number of snapshots in a namespace; terminating ones count. */
    public void quota(String namespace, int snapshots) {
        ObjectNode quota = content.object(ResourceType.QUOTA, namespace, "q");
        quota.putObject("spec")
                .putObject("hard")
                .put("count/" + SNAPSHOTS, Integer.toString(snapshots));
        store.put(ResourceType.QUOTA, quota);
    }

    /** Makes an old snapshot that is ready. */
    public SimulatedSnapshot snapshot(
            String namespace,
            String name,
            String claim,
            Map<String, String> labels,
            Instant createdAt) {
        return snapshot(namespace, name, claim, labels, createdAt, SnapshotState.READY);
    }

    /** Makes an old snapshot in this state; its data was cut when it was created. */
    public SimulatedSnapshot snapshot(
            String namespace,
            String name,
            String claim,
            Map<String, String> labels,
            Instant createdAt,
            SnapshotState state) {
        ObjectNode snapshot = content.snapshot(namespace, name, claim, labels, createdAt, state);
        return SimulatedSnapshot.of(store.put(ResourceType.SNAPSHOT, snapshot));
    }

    /** Puts any object of a kind that the strict store knows into the cluster as it is. */
    public void put(HasMetadata object) {
        content.put(store, Json.MAPPER.valueToTree(object));
    }

    /** Takes the snapshot API away, as on a cluster without its CRDs. */
    public void withoutCrd() {
        frontDoor.withdraw(ResourceType.SNAPSHOT.group());
    }

    /** Brings the snapshot API back. */
    public void installCrd() {
        frontDoor.serve(ResourceType.SNAPSHOT.group(), ResourceType.SNAPSHOT.version());
    }

    /** Serves the snapshot API in this version alone. */
    public void servesSnapshotsAs(String version) {
        frontDoor.serve(ResourceType.SNAPSHOT.group(), version);
    }

    /** Serves group snapshots in this version, with a class of the driver that supports them. */
    public void servesGroupSnapshotsAs(String version) {
        frontDoor.serve(ResourceType.GROUP_SNAPSHOT.group(), version);
        ObjectNode groupClass =
                content.object(ResourceType.GROUP_SNAPSHOT_CLASS, "", GROUP_SNAPSHOT_CLASS);
        groupClass.put("driver", DRIVER).put("deletionPolicy", "Delete");
        store.put(ResourceType.GROUP_SNAPSHOT_CLASS, groupClass);
    }

    // ---- outages

    /** Refuses connections and closes the open ones. */
    public void goDown() {
        server.stopListening();
    }

    /** Answers again, on the same port. */
    public void comeBack() {
        server.listen(port);
    }

    /** A restart that takes the times that were measured on a real one. */
    public CompletableFuture<Void> restart() {
        return restart(Duration.ofMillis(400), Duration.ofSeconds(1), Duration.ofMillis(300));
    }

    /**
     * What clients see of an API server that is restarted.
     *
     * @param refused how long connections are refused
     * @param forbidden how long valid tokens are then answered with 403
     * @param initializing how long the answer is then 429 with Retry-After
     * @return done when it serves again
     */
    public CompletableFuture<Void> restart(
            Duration refused, Duration forbidden, Duration initializing) {
        goDown();
        return CompletableFuture.runAsync(
                        () -> {
                            frontDoor.phase(ApiFrontDoor.Phase.FORBIDDEN);
                            comeBack();
                        },
                        after(refused))
                .thenRunAsync(
                        () -> frontDoor.phase(ApiFrontDoor.Phase.INITIALIZING), after(forbidden))
                .thenRunAsync(
                        () -> frontDoor.phase(ApiFrontDoor.Phase.SERVING), after(initializing));
    }

    private static Executor after(Duration time) {
        return CompletableFuture.delayedExecutor(time.toMillis(), TimeUnit.MILLISECONDS);
    }
}
