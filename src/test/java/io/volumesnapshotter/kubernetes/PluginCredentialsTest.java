package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** When a plugin is asked, and when it is not. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class PluginCredentialsTest {

    private static final Instant START = Instant.parse("2030-01-01T00:00:00Z");
    private static final Duration LIFE = Duration.ofMinutes(60);

    @TempDir private Path directory;
    private final Queue<Runnable> aside = new ArrayDeque<>();
    private Instant now = START;
    private PluginCredentials credentials;
    private Path answer;
    private Path runs;

    @BeforeEach
    void write() throws IOException {
        answer = directory.resolve("answer");
        runs = directory.resolve("runs");
        Path command = directory.resolve("plugin");
        Files.writeString(command, "#!/bin/sh\necho run >> %s\ncat %s\n".formatted(runs, answer));
        assertThat(command.toFile().setExecutable(true)).isTrue();
        credentials =
                new PluginCredentials(
                        new ExecPlugin(
                                "place",
                                command.toString(),
                                List.of(),
                                Map.of(
                                        "KUBERNETES_EXEC_INFO",
                                        "{\"apiVersion\": \"client.authentication.k8s.io/v1\"}"),
                                "",
                                Duration.ofSeconds(60)),
                        (InstantSource) () -> now,
                        aside::add);
        gives("t-1", LIFE);
    }

    @Test
    void itIsAskedOnceForAsLongAsItsAnswerHolds() throws IOException {
        for (int i = 0; i < 3; i++) {
            isToken("t-1");
        }
        assertThat(aside).isEmpty();
        assertThat(runs()).isEqualTo(1);
    }

    @Test
    void itIsAskedAgainBeforeThatIsOverAndNobodyWaits() throws IOException {
        isToken("t-1");
        now = START.plus(LIFE).minus(Duration.ofMinutes(5));
        gives("t-2", LIFE);
        isToken("t-1");
        isToken("t-1");
        assertThat(aside).hasSize(1);
        aside.remove().run();
        isToken("t-2");
        assertThat(runs()).isEqualTo(2);
    }

    @Test
    void oneWithAShortLifeIsAskedAgainInItsLastFifth() throws IOException {
        gives("t-1", Duration.ofSeconds(100));
        isToken("t-1");
        now = START.plusSeconds(79);
        isToken("t-1");
        assertThat(aside).isEmpty();
        now = START.plusSeconds(80);
        isToken("t-1");
        assertThat(aside).hasSize(1);
    }

    @Test
    void whatHoldsIsUsedOnWhenItFailsAheadOfTime() throws IOException {
        isToken("t-1");
        now = START.plus(LIFE).minus(Duration.ofMinutes(5));
        Files.delete(answer);
        isToken("t-1");
        aside.remove().run();
        isToken("t-1");
        assertThat(aside).as("it is left alone for a while").isEmpty();
        now = now.plus(PluginCredentials.PAUSE);
        isToken("t-1");
        assertThat(aside).hasSize(1);
    }

    @Test
    void onceThatIsOverRequestsWaitForAnother() throws IOException {
        isToken("t-1");
        now = START.plus(LIFE);
        gives("t-2", LIFE);
        isToken("t-2");
    }

    @Test
    void onceThatIsOverNothingIsSentWithoutAnother() throws IOException {
        isToken("t-1");
        now = START.plus(LIFE);
        Files.delete(answer);
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(credentials::current).isInstanceOf(NoCredentialException.class);
        }
        assertThat(runs()).as("it is left alone for a while").isEqualTo(2);
        gives("t-2", LIFE);
        now = now.plus(PluginCredentials.PAUSE);
        isToken("t-2");
    }

    @Test
    void whatIsRefusedIsRenewed() throws IOException {
        Credentials refused = credentials.current();
        gives("t-2", LIFE);
        assertThat(credentials.renew(refused)).isTrue();
        isToken("t-2");
        assertThat(credentials.renew(refused)).as("somebody else did that").isTrue();
        assertThat(runs()).isEqualTo(2);
    }

    @Test
    void oneThatRepeatsItselfIsNotAskedAtEachRefusal() throws IOException {
        Credentials refused = credentials.current();
        for (int i = 0; i < 5; i++) {
            assertThat(credentials.renew(refused)).isFalse();
        }
        assertThat(runs()).isEqualTo(2);
        now = now.plus(PluginCredentials.PAUSE);
        gives("t-2", LIFE);
        assertThat(credentials.renew(refused)).isTrue();
    }

    @Test
    void anAnswerThatIsOverAlreadyIsTriedAndNotAskedForAtEachRequest() throws IOException {
        gives("t-1", Duration.ofSeconds(-1));
        for (int i = 0; i < 3; i++) {
            isToken("t-1");
        }
        assertThat(runs()).isEqualTo(1);
    }

    @Test
    void nothingIsSentWhenItNeverGaveAny() throws IOException {
        Files.delete(answer);
        assertThatThrownBy(credentials::current).isInstanceOf(NoCredentialException.class);
    }

    private void isToken(String token) {
        assertThat(credentials.current()).isEqualTo(Credentials.of("Bearer " + token));
    }

    private void gives(String token, Duration life) throws IOException {
        Files.writeString(
                answer,
                """
                {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
                 "status": {"token": "%s", "expirationTimestamp": "%s"}}
                """
                        .formatted(token, now.plus(life)));
    }

    private int runs() throws IOException {
        return Files.readAllLines(runs).size();
    }
}
