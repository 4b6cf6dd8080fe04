package io.volumesnapshotter;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.EventSource;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Body;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes failures and recoveries as Events of the claims that they concern, where {@code kubectl
 * describe pvc} shows them. An Event's name is a function of schedule, claim and kind of news, so
 * that what happens again raises the count of the one that is there. It takes rights that the
 * program need not have; without them that is told once.
 */
public final class Events {

    static final String FAILED = "SnapshotFailed";
    static final String RECOVERED = "SnapshotRecovered";

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
    private final ApiServer apiServer;
    private final InstantSource clock;
    private final Map<String, Instant> refused = new ConcurrentHashMap<>();

    public Events(KubernetesClient client, ApiServer apiServer, InstantSource clock) {
        this.client = client;
        this.apiServer = apiServer;
        this.clock = clock;
    }

    /** Writes the Event of a failure or a recovery; one that concerns no claim has none. */
    public void write(@Body Failure news) {
        Instant since = refused.getOrDefault(news.namespace(), Instant.MIN);
        boolean forbidden = since.isAfter(clock.instant().minus(UNTIL_ASKED_AGAIN));
        if (news.claim().isEmpty() || apiServer.isAway() || forbidden) {
            return;
        }
        try {
            write(news, reference(news));
            refused.remove(news.namespace());
        } catch (KubernetesClientException e) {
            String words = Failures.words(e);
            if (e.getCode() != FORBIDDEN || apiServer.isRestarting()) {
                LOG.debug("an Event was not written: {}", words);
            } else if (refused.put(news.namespace(), clock.instant()) == null) {
                LOG.info(
                        "no Events are written in namespace {}: {} -> grant it, as in"
                                + " k8s/components/events",
                        news.namespace(),
                        words);
            }
        }
    }

    private void write(Failure news, ObjectReference claim) {
        String reason = news.recovered() ? RECOVERED : FAILED;
        String name = Names.event(news.claim(), news.schedule(), reason);
        String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
        String message = cut(news.recovered() ? news.reason() : news.what());
        Event event =
                new EventBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace(news.namespace())
                        .endMetadata()
                        .withInvolvedObject(claim)
                        .withType(news.recovered() ? "Normal" : "Warning")
                        .withReason(reason)
                        .withMessage(message)
                        .withSource(new EventSource(COMPONENT, null))
                        .withReportingComponent(COMPONENT)
                        .withFirstTimestamp(now)
                        .withLastTimestamp(now)
                        .withCount(1)
                        .build();
        var events = client.v1().events().inNamespace(news.namespace());
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
    private ObjectReference reference(Failure news) {
        String uid = null;
        try {
            PersistentVolumeClaim claim =
                    client.persistentVolumeClaims()
                            .inNamespace(news.namespace())
                            .withName(news.claim())
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
                .withNamespace(news.namespace())
                .withName(news.claim())
                .withUid(uid)
                .build();
    }

    private static String cut(String message) {
        return message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE);
    }
}
