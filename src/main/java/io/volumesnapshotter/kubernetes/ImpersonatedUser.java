package io.volumesnapshotter.kubernetes;

import java.util.List;
import java.util.Map;

/**
 * A user who acts as somebody else, whatever the kubeconfig says of that.
 *
 * @param user whose credentials are sent
 * @param impersonation the headers that say as whom
 */
record ImpersonatedUser(CredentialSource user, Map<String, List<String>> impersonation)
        implements CredentialSource {

    @Override
    public Credentials current() {
        return user.current();
    }

    @Override
    public boolean renew(Credentials refused) {
        return user.renew(refused);
    }
}
