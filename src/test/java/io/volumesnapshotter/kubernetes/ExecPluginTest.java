package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A plugin that gives a credential, and all the ways in which one may not. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class ExecPluginTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final String INFO =
            "{\"kind\": \"ExecCredential\", \"apiVersion\": \"client.authentication.k8s.io/v1\"}";

    @TempDir private Path directory;
    private Path command;

    @BeforeEach
    void nameIt() {
        command = directory.resolve("plugin");
    }

    @Test
    void itsTokenAndExpiryAreTaken() throws IOException {
        ExecCredential credential =
                ask(
                        answer(
                                "\"token\": \"t-1\", \"expirationTimestamp\": \"2030-01-02T03:04:05Z\""));
        assertThat(credential.credentials()).isEqualTo(Credentials.of("Bearer t-1"));
        assertThat(credential.expires()).isEqualTo(Instant.parse("2030-01-02T03:04:05Z"));
    }

    @Test
    void withoutAnExpiryItHoldsUntilItIsRefused() throws IOException {
        assertThat(ask(answer("\"token\": \"t-1\"")).expires()).isEqualTo(Instant.MAX);
    }

    @Test
    void whatItSaysBesideItsAnswerIsNotTakenForPartOfIt() throws IOException {
        assertThat(ask("echo \"{\" >&2\n" + answer("\"token\": \"t-1\"")).credentials())
                .isEqualTo(Credentials.of("Bearer t-1"));
    }

    @Test
    void moreWordsThanAPipeHoldsDoNotHoldItUp() throws IOException {
        assertThat(
                        ask("head -c 3000000 /dev/zero | tr '\\0' x >&2\n"
                                        + answer("\"token\": \"t-1\""))
                                .credentials())
                .isEqualTo(Credentials.of("Bearer t-1"));
    }

    @Test
    void itHasNothingToRead() throws IOException {
        assertThat(ask("cat\n" + answer("\"token\": \"t-1\"")).credentials())
                .isEqualTo(Credentials.of("Bearer t-1"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    exit 3                              | it ended with exit code 3
                    echo one >&2; echo two >&2; exit 1  | it ended with exit code 1: two
                    printf 'a\\033[31mb' >&2; exit 1    | exit code 1: a [31mb
                    kill -9 $$                          | it ended with exit code 137
                    echo hello                          | no JSON
                    true                                | it answered with no ExecCredential
                    echo '[]'                           | it answered with no ExecCredential
                    echo '{"kind": "Pod"}'              | it answered with no ExecCredential of client.authentication.k8s.io/v1
                    echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1", "status": {"token": "t"}}' | of client.authentication.k8s.io/v1
                    echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1"}' | no token and no certificate
                    echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": ""}}' | no token and no certificate
                    echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": "a b"}}' | what cannot be used: a token has no blanks
                    echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"clientCertificateData": "x"}}' | a certificate comes with its key
                    echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"clientCertificateData": "x", "clientKeyData": "y"}}' | no certificate in PEM
                    echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": "t", "expirationTimestamp": "soon"}}' | expirationTimestamp that is no time
                    """)
    void oneThatGivesNoCredentialIsToldInOneLine(String script, String words) {
        assertThatThrownBy(() -> ask(script))
                .isInstanceOf(NoCredentialException.class)
                .hasMessageStartingWith(
                        "no credential to send it with: config, user dev, exec, command \""
                                + command
                                + "\": ")
                .hasMessageContaining(words)
                .hasMessageNotContaining("\n")
                .hasMessageNotContaining("\u001b");
    }

    @Test
    void oneThatIsNotThereIsToldWithTheWayToGetIt() {
        assertThatThrownBy(() -> ExecCredential.ask(plugin("no-such-program", LIMIT)))
                .isInstanceOf(NoCredentialException.class)
                .hasMessageEndingWith(
                        "command \"no-such-program\": there is no such program: brew install it");
    }

    @Test
    void oneThatMayNotBeRunIsTold() throws IOException {
        Files.writeString(command, "#!/bin/sh\n");
        assertThatThrownBy(() -> ExecCredential.ask(plugin(command.toString(), LIMIT)))
                .hasMessageContaining("it cannot be run");
    }

    @Test
    void oneThatHangsIsEndedWithAllThatItStarted() throws IOException {
        Path started = directory.resolve("started");
        String sleep = "sleep " + (100_000 + ProcessHandle.current().pid());
        write("%1$s & sh -c '%1$s & wait' & echo $$ > %2$s; wait".formatted(sleep, started));
        ExecPlugin plugin = plugin(command.toString(), Duration.ofSeconds(10));
        assertThatThrownBy(plugin::run).hasMessageContaining("it took longer than 10 s");
        assumeThat(started).exists();
        await().atMost(LIMIT)
                .until(
                        () ->
                                ProcessHandle.allProcesses()
                                        .filter(ProcessHandle::isAlive)
                                        .noneMatch(
                                                process ->
                                                        process.info()
                                                                .commandLine()
                                                                .orElse("")
                                                                .contains(sleep)));
    }

    private ExecCredential ask(String script) throws IOException {
        write(script);
        return ExecCredential.ask(plugin(command.toString(), LIMIT));
    }

    private void write(String script) throws IOException {
        Files.writeString(command, "#!/bin/sh\n" + script + "\n");
        assertThat(command.toFile().setExecutable(true)).isTrue();
    }

    private static ExecPlugin plugin(String command, Duration limit) {
        return new ExecPlugin(
                "config, user dev, exec, command",
                command,
                List.of(),
                Map.of("KUBERNETES_EXEC_INFO", INFO),
                "brew\tinstall\nit",
                limit);
    }

    private static String answer(String status) {
        return "echo '"
                + INFO.replace("}", ", \"status\": {" + status.replace("'", "") + "}}")
                + "'";
    }
}
