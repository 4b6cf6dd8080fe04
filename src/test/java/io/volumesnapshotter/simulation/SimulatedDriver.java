package io.volumesnapshotter.simulation;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * The switches of the storage driver and its snapshot controller. All can be turned while it works;
 * those with a claim's name win over those for all claims.
 */
public final class SimulatedDriver {

    /** The label by which nodes, and volumes of a zone, name it. */
    public static final String ZONE = "topology.kubernetes.io/zone";

    private static final String ALL = "";

    private static final class Settings {
        private volatile Duration startsAfter;
        private volatile Duration readyAfter;
        private volatile Duration cutsAfter;
        private volatile Boolean neverReady;
        private volatile Failure failure;
        private volatile String errorBesideReady;
        private volatile Boolean deletionsHeld;
    }

    /** A failure, with the instant (of {@link System#nanoTime}) at which it clears, if it does. */
    record Failure(String message, Long until) {}

    private final Map<String, Settings> settings = new ConcurrentHashMap<>();
    private volatile Duration deletesAfter;
    private volatile Duration clockOffset;
    private volatile double perSecond;
    private volatile int mostPerClaim;
    private volatile String fullMessage;
    private volatile String cutTime;
    private volatile Duration provisionsAfter;
    private volatile String provisionFailure;
    private final Map<String, String> zones = new ConcurrentHashMap<>();
    private Runnable changed = () -> {};

    SimulatedDriver() {
        defaults();
    }

    private void defaults() {
        Settings all = new Settings();
        all.startsAfter = Duration.ofMillis(10);
        all.readyAfter = Duration.ofMillis(50);
        all.neverReady = false;
        all.deletionsHeld = false;
        settings.put(ALL, all);
        settings.keySet().retainAll(Set.of(ALL));
        deletesAfter = Duration.ofMillis(50);
        clockOffset = Duration.ZERO;
        perSecond = 0;
        mostPerClaim = Integer.MAX_VALUE;
        cutTime = null;
        provisionsAfter = Duration.ofMillis(10);
        provisionFailure = null;
    }

    void onChange(Runnable changed) {
        this.changed = changed;
    }

    /** Everything works again, quickly: what is pending becomes ready, what was held goes. */
    public SimulatedDriver heal() {
        defaults();
        changed.run();
        return this;
    }

    /** The time from the creation of a snapshot until it is bound. */
    public SimulatedDriver startsAfter(Duration time) {
        return set(ALL, s -> s.startsAfter = time);
    }

    /** The time from the creation of a snapshot of this claim until it is bound. */
    public SimulatedDriver startsAfter(String claim, Duration time) {
        return set(claim, s -> s.startsAfter = time);
    }

    /** The time from when a snapshot is bound until it is ready. */
    public SimulatedDriver readyAfter(Duration time) {
        return set(ALL, s -> s.readyAfter = time);
    }

    /** The time from when a snapshot of this claim is bound until it is ready. */
    public SimulatedDriver readyAfter(String claim, Duration time) {
        return set(claim, s -> s.readyAfter = time);
    }

    /**
     * The time from when a snapshot is bound until storage has cut its data, which may be long
     * before it is ready. Without it, storage cuts when the snapshot becomes ready.
     */
    public SimulatedDriver cutsAfter(Duration time) {
        return set(ALL, s -> s.cutsAfter = time);
    }

    /** The time from when a snapshot of this claim is bound until storage has cut its data. */
    public SimulatedDriver cutsAfter(String claim, Duration time) {
        return set(claim, s -> s.cutsAfter = time);
    }

    /** Snapshots get this error and stay so. */
    public SimulatedDriver fails(String message) {
        return set(ALL, s -> s.failure = new Failure(message, null));
    }

    /** Snapshots of this claim get this error and stay so. */
    public SimulatedDriver fails(String claim, String message) {
        return set(claim, s -> s.failure = new Failure(message, null));
    }

    /** Snapshots of this claim get this error, which clears after a while from now. */
    public SimulatedDriver failsFor(String claim, String message, Duration howLong) {
        long until = System.nanoTime() + howLong.toNanos();
        return set(claim, s -> s.failure = new Failure(message, until));
    }

    /** Snapshots of this claim become ready and carry an error all the same. */
    public SimulatedDriver errorBesideReady(String claim, String message) {
        return set(claim, s -> s.errorBesideReady = message);
    }

    /** Snapshots are bound and stay not ready, without an error. */
    public SimulatedDriver neverReady() {
        return set(ALL, s -> s.neverReady = true);
    }

    /** Snapshots of this claim are bound and stay not ready, without an error. */
    public SimulatedDriver neverReady(String claim) {
        return set(claim, s -> s.neverReady = true);
    }

    /** Deleted snapshots stay, terminating. */
    public SimulatedDriver holdDeletions() {
        return set(ALL, s -> s.deletionsHeld = true);
    }

    /** Deleted snapshots of this claim stay, terminating. */
    public SimulatedDriver holdDeletions(String claim) {
        return set(claim, s -> s.deletionsHeld = true);
    }

    /** Lets go of every deleted snapshot. */
    public SimulatedDriver releaseDeletions() {
        settings.values().forEach(s -> s.deletionsHeld = null);
        return set(ALL, s -> s.deletionsHeld = false);
    }

    /** The time from a deletion until storage has let go. */
    public SimulatedDriver deletesAfter(Duration time) {
        deletesAfter = time;
        changed.run();
        return this;
    }

    /**
     * How many snapshots are begun each second, all claims together; the stock controller manages
     * 0.56. Zero is as many as come.
     */
    public SimulatedDriver snapshotsPerSecond(double rate) {
        perSecond = rate;
        changed.run();
        return this;
    }

    /** The driver has a limit of its own: so many of a claim, and then it says this of the next. */
    public SimulatedDriver holdsAtMost(int snapshots, String message) {
        fullMessage = message;
        mostPerClaim = snapshots;
        changed.run();
        return this;
    }

    /** What the driver stamps on all snapshots as the time of the cut. */
    public SimulatedDriver stamps(String time) {
        cutTime = time;
        return this;
    }

    /** How far the storage's clock, which stamps status.creationTime, is ahead of the cluster's. */
    public SimulatedDriver clockOffset(Duration offset) {
        clockOffset = offset;
        return this;
    }

    /** The time that it takes to make a volume. */
    public SimulatedDriver provisionsAfter(Duration time) {
        provisionsAfter = time;
        return this;
    }

    /** No volume can be made, and this is why. */
    public SimulatedDriver failsToProvision(String message) {
        provisionFailure = message;
        return this;
    }

    void place(String node, String zone) {
        zones.put(node, zone);
    }

    /** The zone to which a volume belongs that is made for a pod on this node. */
    Optional<String> topology(String node) {
        return Optional.ofNullable(zones.get(node));
    }

    Duration provisionsAfter() {
        return provisionsAfter;
    }

    /** Why no volume can be made, or null. */
    String provisionFailure() {
        return provisionFailure;
    }

    /** Stops the driver as SIGSTOP does: nothing becomes ready, nothing deleted goes. */
    public SimulatedDriver pause() {
        set(ALL, s -> s.neverReady = true);
        return holdDeletions();
    }

    /** Goes on after {@link #pause}. */
    public SimulatedDriver resume() {
        set(ALL, s -> s.neverReady = false);
        return set(ALL, s -> s.deletionsHeld = false);
    }

    private interface Switch {
        void turn(Settings settings);
    }

    private SimulatedDriver set(String claim, Switch change) {
        change.turn(settings.computeIfAbsent(claim, c -> new Settings()));
        changed.run();
        return this;
    }

    private <T> T get(String claim, Function<Settings, T> setting) {
        Settings own = settings.get(claim);
        T value = own == null ? null : setting.apply(own);
        return value != null ? value : setting.apply(settings.get(ALL));
    }

    Duration startsAfter(String claim) {
        return get(claim, s -> s.startsAfter);
    }

    Duration readyAfter(String claim) {
        return get(claim, s -> s.readyAfter);
    }

    /** When storage cuts, or null where it does so only when the snapshot becomes ready. */
    Duration cutsAfter(String claim) {
        return get(claim, s -> s.cutsAfter);
    }

    boolean isNeverReady(String claim) {
        return get(claim, s -> s.neverReady);
    }

    boolean holdsDeletions(String claim) {
        return get(claim, s -> s.deletionsHeld);
    }

    String errorBesideReady(String claim) {
        return get(claim, s -> s.errorBesideReady);
    }

    /** The failure in force, or null. */
    Failure failure(String claim) {
        Failure failure = get(claim, s -> s.failure);
        boolean over =
                failure != null
                        && failure.until() != null
                        && System.nanoTime() - failure.until() >= 0;
        return over ? null : failure;
    }

    Duration deletesAfter() {
        return deletesAfter;
    }

    /** What it says where it holds so many of a claim already, or null. */
    String refusal(long held) {
        return held < mostPerClaim ? null : fullMessage;
    }

    /**
     * What it stamps as the time of the cut.
     *
     * @param now the present, by the cluster's clock
     */
    String cutTime(String now) {
        return cutTime == null
                ? Instant.parse(now).plus(clockOffset).truncatedTo(ChronoUnit.SECONDS).toString()
                : cutTime;
    }

    double snapshotsPerSecond() {
        return perSecond;
    }
}
