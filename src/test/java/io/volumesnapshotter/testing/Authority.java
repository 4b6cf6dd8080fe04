package io.volumesnapshotter.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Signs certificates, with keytool. */
public final class Authority {

    private static final String SELF = "authority";
    private static final String PASSWORD = "changeit";

    private final Path store;

    /**
     * @param directory where its key store goes
     */
    public Authority(Path directory) throws IOException, InterruptedException {
        store = Files.createTempDirectory(directory, SELF).resolve("store.p12");
        keytool(SELF, "RSA", "CN=" + SELF, "-ext", "bc:c");
    }

    /** A certificate with its key, by a name. */
    public void sign(String name, String subject, String usage)
            throws IOException, InterruptedException {
        sign(name, "RSA", subject, usage, "ip:127.0.0.1");
    }

    /**
     * A certificate with its key, by a name.
     *
     * @param algorithm RSA, EC or Ed25519
     * @param names what else it is for, as keytool has it
     */
    public void sign(String name, String algorithm, String subject, String usage, String names)
            throws IOException, InterruptedException {
        keytool(
                name,
                algorithm,
                subject,
                "-signer",
                SELF,
                "-ext",
                "eku=" + usage,
                "-ext",
                "san=" + names);
    }

    /** The private key of a certificate, in PKCS 8. */
    public byte[] key(String name) throws IOException, GeneralSecurityException {
        return load().getKey(name, PASSWORD.toCharArray()).getEncoded();
    }

    /** A certificate with its key and the authority's own, as a TLS Secret is mounted. */
    public void write(String name, Path directory) throws IOException, GeneralSecurityException {
        KeyStore all = load();
        Files.writeString(directory.resolve("tls.crt"), pem("CERTIFICATE", certificate(all, name)));
        Files.writeString(directory.resolve("tls.key"), pem("PRIVATE KEY", key(name)));
        Files.writeString(directory.resolve("ca.crt"), pem("CERTIFICATE", certificate(all, SELF)));
    }

    /** Trusts this authority alone and shows nothing. */
    public SSLContext anonymous() throws IOException, GeneralSecurityException {
        return context(null);
    }

    /** Trusts the other authority alone, and shows a certificate of this one. */
    public SSLContext client(String name, Authority trusted)
            throws IOException, GeneralSecurityException {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        KeyStore all = load();
        own.setKeyEntry(
                name,
                all.getKey(name, PASSWORD.toCharArray()),
                PASSWORD.toCharArray(),
                all.getCertificateChain(name));
        KeyManagerFactory keys =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, PASSWORD.toCharArray());
        return trusted.context(keys.getKeyManagers());
    }

    private SSLContext context(KeyManager[] keys) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry(SELF, load().getCertificate(SELF));
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys, trust.getTrustManagers(), null);
        return context;
    }

    private KeyStore load() throws IOException, GeneralSecurityException {
        return KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
    }

    private static byte[] certificate(KeyStore store, String name) throws GeneralSecurityException {
        return store.getCertificate(name).getEncoded();
    }

    public static String pem(String kind, byte[] der) {
        return "-----BEGIN %1$s-----%n%2$s%n-----END %1$s-----%n"
                .formatted(
                        kind, Base64.getMimeEncoder(64, "\n".getBytes(UTF_8)).encodeToString(der));
    }

    private void keytool(String name, String algorithm, String subject, String... more)
            throws IOException, InterruptedException {
        Path output = store.resolveSibling("keytool.log");
        Stream<String> command =
                Stream.of(
                        Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                        "-genkeypair",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        PASSWORD,
                        "-keyalg",
                        algorithm,
                        "-alias",
                        name,
                        "-dname",
                        subject);
        int code =
                new ProcessBuilder(Stream.concat(command, List.of(more).stream()).toList())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start()
                        .waitFor();
        if (code != 0) {
            throw new IOException(Files.readString(output));
        }
    }
}
