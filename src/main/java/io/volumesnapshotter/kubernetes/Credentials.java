package io.volumesnapshotter.kubernetes;

import java.util.Optional;

/**
 * What a request is sent with.
 *
 * @param authorization the value of the header, for what has one
 * @param certificate what the connection is made with, for who has one
 */
record Credentials(Optional<String> authorization, Optional<ClientCertificate> certificate) {

    static final Credentials NONE = new Credentials(Optional.empty(), Optional.empty());

    static Credentials of(String authorization) {
        return new Credentials(Optional.of(authorization), Optional.empty());
    }

    /** Neither is shown by accident. */
    @Override
    public String toString() {
        return "credentials";
    }
}
