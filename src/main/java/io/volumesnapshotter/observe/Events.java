package io.volumesnapshotter.observe;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.EventSource;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.drill.DrillReport;
import io.volumesnapshotter.drill.Drills;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.run.Failure;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.settings.ObjectNames;
import io.volumesnapshotter.snapshot.Claim;
import io.volumesnapshotter.snapshot.SnapshotLabels;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.apache.camel.Body;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes failures and recoveries as Events of the claims that they concern, where {@code kubectl
 * describe pvc} shows them, and reloads of routes as Events of the pod. An Event's name is a
 * function of what it concerns and the kind of news, so that what happens again raises the count of
 * the one that is there. It takes rights that the program need not have; without them that is told
 * once.
 */
public final class Events {

    public static final String FAILED = "SnapshotFailed";
    static final String RECOVERED = "SnapshotRecovered";
    static final String NOT_PROVEN = "RestoreNotProven";
    static final String PROVEN = "RestoreProven";
    static final String RELOADED = "RoutesReloaded";
    static final String REFUSED = "RoutesRefused";

    private static final String COMPONENT = SnapshotLabels.PROGRAM;

    /** What {@code kubectl describe} needs to find an Event, beside the claim's name and uid. */
    private static final String KIND = "PersistentVolumeClaim";

    /** The API server's limit for an Event's message. */
    private static final int MAX_MESSAGE = 1024;

    /** How long not to try again where the right is missing. */
    private static final Duration UNTIL_ASKED_AGAIN = Duration.ofMinutes(10);

    private static final int CONFLICT = 409;
    private static final int FORBIDDEN = 403;

    private static final Logger LOG = LoggerFactory.getLogger(Events.class);

    private final KubernetesClient client;
    private final ApiServerMonitor apiServer;
    private final String podName;
    private final String podUid;
    private final InstantSource clock;
    private final InstantSource steady;
    private final Map<String, Instant> refused = new ConcurrentHashMap<>();

    /**
     * @param environment has the pod's name and uid in {@code HOSTNAME} and {@code POD_UID}, as far
     *     as they are known
     * @param clock the present
     * @param steady measures waits, whatever becomes of the other clock
     */
    public Events(
            KubernetesClient client,
            ApiServerMonitor apiServer,
            Map<String, String> environment,
            InstantSource clock,
            InstantSource steady) {
        this.client = client;
        podName = environment.getOrDefault("HOSTNAME", "");
        podUid = podName.isEmpty() ? "" : environment.getOrDefault("POD_UID", "");
        this.apiServer = apiServer;
        this.clock = clock;
        this.steady = steady;
    }

    /**
     * Writes the Event of a failure or a recovery; one that concerns no claim has none. That a
     * claim is proven again is told as each proof of it is.
     */
    public void write(@Body Failure news) {
        boolean ofDrill = news.operation().equals(Drills.OPERATION);
        if (!news.claim().isEmpty() && !(ofDrill && news.recovered())) {
            String failed = ofDrill ? NOT_PROVEN : FAILED;
            write(
                    news.namespace(),
                    () -> reference(new Claim(news.namespace(), news.claim())),
                    news.schedule(),
                    news.recovered(),
                    news.recovered() ? RECOVERED : failed,
                    news.recovered() ? news.reason() : news.what());
        }
    }

    /** Writes the Event of a drill that passed. */
    public void writeProof(@Variable("run") Run run, @Body DrillReport report) {
        write(
                report.claim().namespace(),
                () -> reference(report.claim()),
                run.schedule(),
                true,
                PROVEN,
                report.words());
    }

    /**
     * Writes how an edit of the route files went, as an Event of the pod; none where the pod is not
     * known.
     *
     * @param taken whether it took effect
     */
    public void write(boolean taken, String message) {
        if (!podUid.isEmpty()) {
            ObjectReference pod =
                    new ObjectReferenceBuilder()
                            .withApiVersion("v1")
                            .withKind("Pod")
                            .withNamespace(client.getNamespace())
                            .withName(podName)
                            .withUid(podUid)
                            .build();
            write(
                    client.getNamespace(),
                    () -> pod,
                    "routes",
                    taken,
                    taken ? RELOADED : REFUSED,
                    message);
        }
    }

    private void write(
            String namespace,
            Supplier<ObjectReference> about,
            String key,
            boolean good,
            String reason,
            String message) {
        Instant since = refused.getOrDefault(namespace, Instant.MIN);
        if (apiServer.isAway() || since.isAfter(steady.instant().minus(UNTIL_ASKED_AGAIN))) {
            return;
        }
        try {
            write(about.get(), key, good ? "Normal" : "Warning", reason, cut(message));
            refused.remove(namespace);
        } catch (KubernetesClientException e) {
            String words = ErrorText.words(e);
            if (!ApiErrors.isMissingRight(e) || apiServer.isRestarting()) {
                LOG.debug("an Event was not written: {}", words);
            } else if (refused.put(namespace, steady.instant()) == null) {
                LOG.info(
                        "no Events are written in namespace {}: {} -> grant it, as in"
                                + " k8s/components/events",
                        namespace,
                        words);
            }
        }
    }

    private void write(
            ObjectReference about, String key, String type, String reason, String message) {
        String name = nameOf(about.getName(), key, reason);
        String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
        Event event =
                new EventBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace(about.getNamespace())
                        .endMetadata()
                        .withInvolvedObject(about)
                        .withType(type)
                        .withReason(reason)
                        .withMessage(message)
                        .withSource(new EventSource(COMPONENT, null))
                        .withReportingComponent(COMPONENT)
                        .withFirstTimestamp(now)
                        .withLastTimestamp(now)
                        .withCount(1)
                        .build();
        var events = client.v1().events().inNamespace(about.getNamespace());
        try {
            events.resource(event).create();
        } catch (KubernetesClientException e) {
            if (e.getCode() != CONFLICT) {
                throw e;
            }
            Event there = events.withName(name).get();
            if (there != null) {
                int count = there.getCount() == null ? 1 : there.getCount();
                event.getMetadata().setResourceVersion(there.getMetadata().getResourceVersion());
                event.setFirstTimestamp(there.getFirstTimestamp());
                event.setCount(count + 1);
                events.resource(event).update();
            }
        }
    }

    /** The claim, with its uid where it may be read: {@code kubectl describe} asks for that. */
    private ObjectReference reference(Claim about) {
        String uid = null;
        try {
            PersistentVolumeClaim claim =
                    client.persistentVolumeClaims()
                            .inNamespace(about.namespace())
                            .withName(about.name())
                            .get();
            uid = claim == null ? null : claim.getMetadata().getUid();
        } catch (KubernetesClientException e) {
            if (e.getCode() != FORBIDDEN) {
                throw e;
            }
        }
        return new ObjectReferenceBuilder()
                .withApiVersion("v1")
                .withKind(KIND)
                .withNamespace(about.namespace())
                .withName(about.name())
                .withUid(uid)
                .build();
    }

    /** Equal for equal news, so that it is counted and not written again. */
    private static String nameOf(String about, String key, String reason) {
        String end = "." + ObjectNames.hash(about + "/" + key + "/" + reason);
        int room = Math.min(about.length(), ObjectNames.MAX_NAME - end.length());
        while (!Character.isLetterOrDigit(about.charAt(room - 1))) {
            room--;
        }
        return about.substring(0, room) + end;
    }

    private static String cut(String message) {
        return message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE);
    }
}
