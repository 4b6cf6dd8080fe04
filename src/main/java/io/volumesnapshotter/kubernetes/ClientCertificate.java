package io.volumesnapshotter.kubernetes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;

/** A certificate that says who the program is, and the key that proves it. */
record ClientCertificate(List<X509Certificate> chain, PrivateKey key) {

    private static final Map<String, String> SIGNATURES =
            Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA");

    /**
     * Reads both.
     *
     * @throws IOException when one is not there or they do not belong together
     */
    static ClientCertificate of(byte[] certificates, byte[] key) throws IOException {
        List<X509Certificate> chain = Pem.certificates(certificates);
        PublicKey owner = chain.get(0).getPublicKey();
        String signature = SIGNATURES.get(owner.getAlgorithm());
        if (signature == null) {
            throw new IOException(
                    "its kind is %s: give one of RSA, EC or Ed25519"
                            .formatted(owner.getAlgorithm()));
        }
        PrivateKey own = Pem.key(key, owner);
        if (!belong(signature, owner, own)) {
            throw new IOException("its key is another certificate's");
        }
        return new ClientCertificate(chain, own);
    }

    private static boolean belong(String algorithm, PublicKey owner, PrivateKey key) {
        try {
            byte[] text = algorithm.getBytes(StandardCharsets.UTF_8);
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(text);
            byte[] signed = signature.sign();
            signature.initVerify(owner);
            signature.update(text);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** The key is not shown by accident. */
    @Override
    public String toString() {
        return chain.get(0).getSubjectX500Principal().getName();
    }
}
