package io.volumesnapshotter.kubernetes;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads certificates and private keys as they stand in files: RSA, EC and Ed25519, as PKCS 8, PKCS
 * 1 or SEC 1.
 */
final class Pem {

    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 0x04;
    private static final int LONG_FORM = 0x80;
    private static final int BYTE = 0xff;
    private static final byte[] VERSION = {2, 1, 0};

    private Pem() {}

    private record Block(String kind, String body) {

        byte[] der() throws IOException {
            try {
                return Base64.getMimeDecoder().decode(body);
            } catch (IllegalArgumentException e) {
                throw new IOException("its " + kind + " is no base64");
            }
        }
    }

    /**
     * All certificates.
     *
     * @throws IOException when there is none
     */
    static List<X509Certificate> certificates(byte[] text) throws IOException {
        List<X509Certificate> all = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Block block : blocks(text)) {
                if (block.kind.equals("CERTIFICATE")) {
                    all.add(
                            (X509Certificate)
                                    factory.generateCertificate(
                                            new ByteArrayInputStream(block.der())));
                }
            }
        } catch (CertificateException e) {
            throw new IOException("it holds a certificate that is none");
        }
        if (all.isEmpty()) {
            throw new IOException("it holds no certificate in PEM");
        }
        return all;
    }

    /**
     * The first private key.
     *
     * @param owner the public key that it belongs to; it says of which kind it is
     * @throws IOException when there is none of this kind
     */
    static PrivateKey key(byte[] text, PublicKey owner) throws IOException {
        for (Block block : blocks(text)) {
            if (block.kind.equals("ENCRYPTED PRIVATE KEY") || block.body.contains("ENCRYPTED")) {
                throw new IOException(
                        "its key has a passphrase: give one without, as openssl pkey writes it");
            }
            if (block.kind.endsWith("PRIVATE KEY")) {
                byte[] der = block.der();
                return generate(block.kind.equals("PRIVATE KEY") ? der : pkcs8(owner, der), owner);
            }
        }
        throw new IOException("it holds no private key in PEM");
    }

    private static PrivateKey generate(byte[] pkcs8, PublicKey owner) throws IOException {
        try {
            return KeyFactory.getInstance(owner.getAlgorithm())
                    .generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    "its key is no %s key, as the certificate's is"
                            .formatted(owner.getAlgorithm()));
        }
    }

    private static List<Block> blocks(byte[] text) {
        Matcher blocks = BLOCK.matcher(new String(text, StandardCharsets.ISO_8859_1));
        return blocks.results().map(block -> new Block(block.group(1), block.group(2))).toList();
    }

    /** A key of an older form, in PKCS 8: with a version and the algorithm before it. */
    private static byte[] pkcs8(PublicKey owner, byte[] key) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.write(VERSION);
        content.write(algorithm(owner.getEncoded()));
        content.write(tagged(OCTETS, key));
        return tagged(SEQUENCE, content.toByteArray());
    }

    /** The algorithm, with its parameters, is what a public key begins with. */
    private static byte[] algorithm(byte[] publicKey) {
        int start = contentStart(publicKey, 0);
        int contentStart = contentStart(publicKey, start);
        return Arrays.copyOfRange(publicKey, start, contentStart + contentLength(publicKey, start));
    }

    private static int contentStart(byte[] der, int at) {
        int length = der[at + 1] & BYTE;
        return at + 2 + (length < LONG_FORM ? 0 : length - LONG_FORM);
    }

    private static int contentLength(byte[] der, int at) {
        int length = der[at + 1] & BYTE;
        if (length < LONG_FORM) {
            return length;
        }
        int value = 0;
        for (int i = at + 2; i < contentStart(der, at); i++) {
            value = value << Byte.SIZE | der[i] & BYTE;
        }
        return value;
    }

    private static byte[] tagged(int tag, byte[] content) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(tag);
        if (content.length < LONG_FORM) {
            all.write(content.length);
        } else {
            int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(content.length) + 7) / 8;
            all.write(LONG_FORM | bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                all.write(content.length >> (i * Byte.SIZE));
            }
        }
        all.write(content);
        return all.toByteArray();
    }
}
