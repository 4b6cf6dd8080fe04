package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.testing.Authority;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keys of all kinds and forms prove to a server who the program is. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClientKeyTest {

    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 0x04;

    private AccessLab lab;

    @BeforeAll
    void open(@TempDir Path directory) throws Exception {
        lab = new AccessLab(directory);
        for (String algorithm : new String[] {"RSA", "EC", "Ed25519"}) {
            lab.clientCertificate(algorithm.toLowerCase(), algorithm);
        }
    }

    @AfterAll
    void close() {
        lab.close();
    }

    @ParameterizedTest
    @CsvSource({
        "rsa,PRIVATE KEY",
        "rsa,RSA PRIVATE KEY",
        "ec,PRIVATE KEY",
        "ec,EC PRIVATE KEY",
        "ed25519,PRIVATE KEY"
    })
    void isTaken(String name, String kind) throws Exception {
        byte[] key = lab.authority.key(name);
        byte[] der = kind.equals("PRIVATE KEY") ? key : inner(key);
        Files.writeString(
                lab.directory.resolve("key.pem"),
                "some words before it\n" + Authority.pem(kind, der));
        Map<String, String> environment =
                lab.kubeconfig(
                        lab.cluster(),
                        "client-certificate: %s/tls.crt\nclient-key: key.pem".formatted(name));
        AccessLab.Outcome outcome = lab.program(environment);
        assertThat(outcome.problem()).isEmpty();
        assertThat(outcome.last().certificate()).isEqualTo("CN=" + name);
        // Go wants the curve in the key itself, which the JDK does not write.
        if (Kubectl.isThere() && !kind.startsWith("EC")) {
            assertThat(lab.kubectl(environment).last().certificate()).isEqualTo("CN=" + name);
        }
    }

    @ParameterizedTest
    @CsvSource({"rsa,ec", "ec,ed25519", "ed25519,rsa", "rsa,server"})
    void isRefusedThatIsAnotherCertificates(String name, String other) throws Exception {
        AccessLab.Outcome outcome =
                lab.program(
                        lab.kubeconfig(
                                lab.cluster(),
                                "client-certificate: %s/tls.crt\nclient-key: %s/tls.key"
                                        .formatted(name, other)));
        assertThat(outcome.seen()).isEmpty();
        assertThat(outcome.problem())
                .contains("client-certificate: \"", name + "/tls.crt\" is not valid: its key is");
    }

    @Test
    void isRefusedThatHasAPassphrase() throws Exception {
        Files.writeString(
                lab.directory.resolve("locked.pem"),
                Authority.pem("ENCRYPTED PRIVATE KEY", new byte[64]));
        assertThat(
                        lab.program(
                                        lab.kubeconfig(
                                                lab.cluster(),
                                                "client-certificate: rsa/tls.crt\n"
                                                        + "client-key: locked.pem"))
                                .problem())
                .contains("its key has a passphrase");
    }

    @Test
    void isTakenFromAPlugin() throws Exception {
        lab.script(
                "certificate-plugin",
                """
                certificate=$(sed ':a;N;$!ba;s/\\n/\\\\n/g' %1$s/ec/tls.crt)
                key=$(sed ':a;N;$!ba;s/\\n/\\\\n/g' %1$s/ec/tls.key)
                cat <<END
                {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
                 "status": {"clientCertificateData": "$certificate", "clientKeyData": "$key"}}
                END
                """
                        .formatted(lab.directory));
        Map<String, String> environment =
                lab.kubeconfig(
                        lab.cluster(),
                        """
                        exec:
                          apiVersion: client.authentication.k8s.io/v1
                          command: ./certificate-plugin
                          interactiveMode: Never
                        """);
        AccessLab.Outcome outcome = lab.program(environment);
        assertThat(outcome.problem()).isEmpty();
        assertThat(outcome.last().certificate()).isEqualTo("CN=ec");
        if (Kubectl.isThere()) {
            assertThat(lab.kubectl(environment).last().certificate()).isEqualTo("CN=ec");
        }
    }

    /** The older form that is inside PKCS 8, after a version and the algorithm. */
    private static byte[] inner(byte[] pkcs8) {
        int at = start(pkcs8, 0);
        for (int tag : new int[] {2, SEQUENCE}) {
            assertThat(pkcs8[at]).isEqualTo((byte) tag);
            at = end(pkcs8, at);
        }
        assertThat(pkcs8[at]).isEqualTo((byte) OCTETS);
        return Arrays.copyOfRange(pkcs8, start(pkcs8, at), end(pkcs8, at));
    }

    private static int start(byte[] der, int at) {
        return at + 2 + (der[at + 1] < 0 ? der[at + 1] & 0x7f : 0);
    }

    private static int end(byte[] der, int at) {
        int length = der[at + 1];
        if (length < 0) {
            length = 0;
            for (int i = at + 2; i < start(der, at); i++) {
                length = length << 8 | der[i] & 0xff;
            }
        }
        return start(der, at) + length;
    }
}
