package io.volumesnapshotter.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.volumesnapshotter.kubernetes.ApiServerMonitor;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.observe.Metrics;
import io.volumesnapshotter.observe.RunHistory;
import java.io.IOException;
import java.net.http.HttpTimeoutException;
import java.time.InstantSource;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is told of a failed request, and which failures are treated in a way of their own. */
class FailuresTest {

    private final Failures failures =
            new Failures(
                    new RunHistory(
                            new Metrics(new SimpleMeterRegistry()),
                            InstantSource.system(),
                            any -> true),
                    InstantSource.system());
    private final RetryPolicy retryPolicy =
            new RetryPolicy(new ApiServerMonitor("http://api", InstantSource.system()));
    private Exchange exchange;

    @BeforeEach
    void refuseForAQuota() {
        exchange = new DefaultExchange(new DefaultCamelContext());
        exchange.setException(
                new KubernetesClientException(
                        new StatusBuilder()
                                .withCode(403)
                                .withMessage("volumesnapshots is forbidden: exceeded quota: q")
                                .build()));
    }

    @Test
    void roomIsMadeForACreationThatAQuotaRefuses() {
        exchange.setVariable("operation", "create");
        assertThat(retryPolicy.isQuotaRefusal(exchange)).isTrue();
    }

    @Test
    void whatFailedIsForgottenWhenAnotherReplicaLeads() {
        exchange.getExchangeExtension().setFromRouteId("hourly");
        failures.report(exchange);
        assertThat(failures.log().open()).hasSize(1);
        failures.log().forgetAll();
        assertThat(failures.log().open()).isEmpty();
    }

    @Test
    void noRoomIsMadeForAList() {
        exchange.setVariable("operation", "list");
        assertThat(retryPolicy.isQuotaRefusal(exchange)).isFalse();
    }

    @Test
    void noRoomIsMadeForADeletion() {
        exchange.setVariable("operation", "delete");
        assertThat(retryPolicy.isQuotaRefusal(exchange)).isFalse();
    }

    @Test
    void anAnswerThatTheClientStoppedWaitingForIsCalledSo() {
        assertThat(ErrorText.words(new KubernetesClientException("list", new TimeoutException())))
                .isEqualTo("no answer in time (TimeoutException)");
    }

    @Test
    void anAnswerThatDidNotComeInTimeIsCalledSo() {
        HttpTimeoutException late = new HttpTimeoutException("request timed out");
        late.initCause(new IOException("connection closed locally"));
        assertThat(ErrorText.words(new KubernetesClientException("Operation: [list]", late)))
                .isEqualTo("no answer in time (IOException)");
    }
}
