package io.volumesnapshotter.run;

import static io.volumesnapshotter.testing.Program.NAMESPACE;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.volumesnapshotter.simulation.ApiAnswer;
import io.volumesnapshotter.simulation.ApiRequest;
import io.volumesnapshotter.simulation.Faults;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import java.time.Instant;
import java.util.function.Function;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a policy of the cluster refuses is told as that, in its words, and at once. */
@Timeout(60)
class PolicyRefusalTest {

    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant ELEVEN = Instant.parse("2026-11-22T11:00:00Z");

    private static final Predicate<ApiRequest> CREATE =
            request -> request.is("create", "volumesnapshots");

    private enum Refusal {
        VALIDATING_ADMISSION_POLICY(
                request -> ApiAnswer.deniedByPolicy(request, "who owns it? it cannot stay so"),
                "ValidatingAdmissionPolicy 'owners' with binding 'owners' denied request: who"),
        GATEKEEPER(
                request ->
                        ApiAnswer.deniedByWebhook(
                                403,
                                "validation.gatekeeper.sh",
                                "[owners] you cannot do this: exceeded quota: 3"),
                "\"validation.gatekeeper.sh\" denied the request: [owners] you cannot do this"),
        KYVERNO(
                request ->
                        ApiAnswer.deniedByWebhook(
                                400,
                                "validate.kyverno.svc-fail",
                                "\n\nresource VolumeSnapshot/apps/x was blocked due to the"
                                        + " following policies \n\nowners:\n  check: 'no owner'\n"),
                "\"validate.kyverno.svc-fail\" denied the request: resource VolumeSnapshot/apps/x"),
        OF_A_NEWER_SERVER(
                request -> ApiAnswer.deniedByWebhookOfNewerServer(request, "owners.example.com"),
                "is forbidden: admission webhook \"owners.example.com\" denied the request"
                        + " without explanation");

        private final Function<ApiRequest, ApiAnswer> answer;
        private final String words;

        Refusal(Function<ApiRequest, ApiAnswer> answer, String words) {
            this.answer = answer;
            this.words = words;
        }
    }

    private SimulatedCluster cluster;

    @BeforeEach
    void startCluster() {
        cluster = SimulatedCluster.start();
        cluster.claim(NAMESPACE, "data");
    }

    @AfterEach
    void stopCluster() {
        cluster.close();
    }

    @ParameterizedTest
    @EnumSource(Refusal.class)
    void aSnapshotThatAPolicyRefusesIsToldInItsWordsAtOnce(Refusal refusal) {
        cluster.faults().answer(CREATE, Faults.ALWAYS, refusal.answer);
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.ERROR))
                    .first()
                    .asString()
                    .contains("apps/data", "a policy of the cluster refuses it: ", refusal.words)
                    .contains(" -> let the policy allow it")
                    .doesNotContain("grant it", "attempts");
        }
        assertThat(cluster.log().count("create", "volumesnapshots")).isOne();
        assertThat(cluster.log().count("delete")).isZero();
    }

    @Test
    void aDeletionThatAPolicyRefusesIsToldAsThatToo() {
        cluster.faults()
                .answer(
                        request -> request.verb().equals("delete"),
                        Faults.ALWAYS,
                        Refusal.GATEKEEPER.answer);
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            program.fire(ELEVEN);
            assertThat(program.told(Level.ERROR))
                    .first()
                    .asString()
                    .contains("a policy of the cluster refuses it: ", Refusal.GATEKEEPER.words);
        }
        assertThat(cluster.log().count("delete")).isOne();
    }

    @Test
    void aWebhookThatIsOutOfOrderIsAskedAgain() {
        cluster.faults()
                .answer(
                        CREATE,
                        1,
                        ApiAnswer.deniedByWebhook(
                                500, "validation.gatekeeper.sh", "context deadline exceeded"));
        try (Program program = Program.start(cluster, "data")) {
            program.fire(TEN);
            assertThat(program.told(Level.INFO))
                    .contains("hourly-20261122100000: succeeded, 1 of 1 ready");
        }
    }
}
