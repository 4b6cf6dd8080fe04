package io.volumesnapshotter.kubernetes;

import java.util.List;
import java.util.Map;

/** Knows who the program is, now. Safe for use by several threads. */
interface CredentialSource {

    /**
     * What to send the next request with. It may wait for a plugin.
     *
     * @throws NoCredentialException when there is nothing to send it with; it is not to be sent
     *     then
     */
    Credentials current();

    /**
     * Looks for others after the API server refused some with 401. It may wait for a plugin.
     *
     * @return whether {@link #current} gives others than those now
     */
    boolean renew(Credentials refused);

    /** The headers by which a request is made as somebody else, by name. */
    default Map<String, List<String>> impersonation() {
        return Map.of();
    }
}
