package io.volumesnapshotter.kubernetes;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.SimulatedCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ApiServerMonitorTest {

    private static final Optional<String> APPS = Optional.of(NAMESPACE);

    private final AtomicReference<Instant> now =
            new AtomicReference<>(Instant.parse("2026-11-22T10:00:00Z"));
    private SimulatedCluster cluster;
    private ApiServerMonitor monitor;
    private KubernetesClient client;

    @BeforeEach
    void connect() {
        cluster = SimulatedCluster.start();
        cluster.access().grant(NAMESPACE, "configmaps", "create", "list");
        monitor = new ApiServerMonitor(cluster.url(), now::get);
        client = ClusterAccess.connect(cluster.config(NAMESPACE), monitor);
    }

    @AfterEach
    void close() {
        client.close();
        cluster.close();
    }

    @Test
    void aTimeThatTheServerNamesIsForTheRequestThatItAnswered() {
        KubernetesClientException create = create(ApiAnswer.tooManyRequests(7));
        KubernetesClientException list = list(ApiAnswer.tooManyRequests());
        assertThat(monitor.retryAfterMillis(create)).isEqualTo(7_000);
        assertThat(monitor.retryAfterMillis(list)).isZero();
        now.updateAndGet(time -> time.plusSeconds(3));
        assertThat(monitor.retryAfterMillis(create)).isEqualTo(4_000);
        now.updateAndGet(time -> time.plusSeconds(4));
        assertThat(monitor.retryAfterMillis(create)).isZero();
    }

    @Test
    void aListHasATimeOfItsOwn() {
        KubernetesClientException list = list(ApiAnswer.tooManyRequests(7));
        assertThat(monitor.retryAfterMillis(list)).isEqualTo(7_000);
    }

    @Test
    void aLongTimeIsCut() {
        assertThat(monitor.retryAfterMillis(create(ApiAnswer.tooManyRequests(600))))
                .isEqualTo(Duration.ofMinutes(1).toMillis());
    }

    @Test
    void theLastAnswerCounts() {
        create(ApiAnswer.tooManyRequests(60));
        assertThat(monitor.retryAfterMillis(create(ApiAnswer.tooManyRequests()))).isZero();
    }

    @Test
    void anotherErrorOfTheSameRequestIsNotHeldUp() {
        create(ApiAnswer.tooManyRequests(60));
        KubernetesClientException other = create(ApiAnswer.status(500, "InternalError", "no"));
        assertThat(monitor.retryAfterMillis(other)).isZero();
    }

    @Test
    void aLimitForEventsSaysNothingOfOtherRequests() {
        cluster.access().grant(NAMESPACE, "events", "create");
        cluster.faults()
                .answer(request -> request.is("create", "events"), 1, ApiAnswer.tooManyRequests(7));
        Event event = new EventBuilder().withNewMetadata().withName("x").endMetadata().build();
        KubernetesClientException refused =
                catchThrowableOfType(
                        KubernetesClientException.class, () -> client.resource(event).create());
        assertThat(refused.getCode()).isEqualTo(429);
        assertThat(monitor.isAway()).isFalse();
        assertThat(monitor.isRestarting()).isFalse();
        create(ApiAnswer.tooManyRequests());
        assertThat(monitor.isAway()).isTrue();
    }

    private KubernetesClientException create(ApiAnswer answer) {
        cluster.faults().answer(request -> request.is("create", "configmaps"), 1, answer);
        ConfigMap map =
                new ConfigMapBuilder().withNewMetadata().withName("x").endMetadata().build();
        return catchThrowableOfType(
                KubernetesClientException.class, () -> client.resource(map).create());
    }

    private KubernetesClientException list(ApiAnswer answer) {
        cluster.faults().answer(request -> request.is("list", "volumesnapshots"), 1, answer);
        return catchThrowableOfType(
                KubernetesClientException.class,
                () -> new ClusterReader(client).probe(SnapshotApi.KIND, APPS));
    }
}
