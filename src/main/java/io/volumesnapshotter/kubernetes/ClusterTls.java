package io.volumesnapshotter.kubernetes;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * How TLS with the API server is spoken: whom to trust, by which name, and what certificate to
 * show. As soon as one of them is another there is another context, because connections and
 * sessions of the old one would go on with what was there before.
 */
final class ClusterTls {

    private final ClusterAddress cluster;
    private final CredentialSource user;
    private final Optional<Watched<List<X509Certificate>>> authorities;
    private List<X509Certificate> trusted;
    private Optional<ClientCertificate> shown = Optional.empty();
    private SSLContext context;

    ClusterTls(ClusterAddress cluster, CredentialSource user) {
        this.cluster = cluster;
        this.user = user;
        this.authorities =
                source(cluster)
                        .map(
                                source ->
                                        new Watched<>(
                                                List.of(source),
                                                contents -> Pem.certificates(contents.get(0))));
    }

    private static Optional<Watched.Source> source(ClusterAddress cluster) {
        String place = cluster.place().replaceFirst("[^,]*$", " certificate-authority").strip();
        return cluster.authorityFile()
                .map(file -> Watched.Source.of(place, file))
                .or(
                        () ->
                                cluster.authority()
                                        .map(data -> Watched.Source.of(place + "-data", data)));
    }

    /**
     * What the next connection is made with; the same object while nothing changes.
     *
     * @throws NoCredentialException when what it takes cannot be read
     */
    synchronized SSLContext current() {
        List<X509Certificate> trustedNow = authorities.map(Watched::read).orElse(null);
        Optional<ClientCertificate> shownNow = user.current().certificate();
        if (context == null || trustedNow != trusted || !shownNow.equals(shown)) {
            context = context(trustedNow, shownNow);
            trusted = trustedNow;
            shown = shownNow;
        }
        return context;
    }

    private SSLContext context(List<X509Certificate> trust, Optional<ClientCertificate> show) {
        try {
            SSLContext tls = SSLContext.getInstance("TLS");
            tls.init(
                    show.map(own -> new KeyManager[] {new OneKey(own)}).orElse(null),
                    cluster.insecure()
                            ? new TrustManager[] {new AnyServer()}
                            : trustManagers(trust),
                    null);
            return cluster.tlsServerName().isEmpty()
                    ? tls
                    : new NamedTls(tls, cluster.tlsServerName());
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Those that trust these, or what the Java runtime trusts. */
    private static TrustManager[] trustManagers(List<X509Certificate> trust)
            throws GeneralSecurityException, IOException {
        KeyStore store = null;
        if (trust != null) {
            store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            for (X509Certificate authority : trust) {
                store.setCertificateEntry("authority-" + store.size(), authority);
            }
        }
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory.getTrustManagers();
    }

    /**
     * Shows the one certificate to whoever asks, whatever authorities they name, as kubectl does.
     */
    private static final class OneKey extends X509ExtendedKeyManager {

        private static final String ALIAS = "client";

        private final ClientCertificate own;

        OneKey(ClientCertificate own) {
            this.own = own;
        }

        @Override
        public String chooseEngineClientAlias(
                String[] keyTypes, Principal[] issuers, SSLEngine engine) {
            return Arrays.asList(keyTypes).contains(own.key().getAlgorithm()) ? ALIAS : null;
        }

        @Override
        public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
            return chooseEngineClientAlias(keyTypes, issuers, null);
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return own.chain().toArray(X509Certificate[]::new);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return own.key();
        }

        @Override
        public String[] getClientAliases(String keyType, Principal[] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public String[] getServerAliases(String keyType, Principal[] issuers) {
            return new String[0];
        }

        @Override
        public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
            return null;
        }
    }

    /** For a kubeconfig that says insecure-skip-tls-verify, which is told at each start. */
    private static final class AnyServer extends X509ExtendedTrustManager {

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
            // Whoever it is.
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {
            // Whoever it is.
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
            // Whoever it is.
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {
            throw new UnsupportedOperationException();
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
