package io.volumesnapshotter.kubernetes;

import io.volumesnapshotter.settings.InvalidSettingException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The user of a context, as the kubeconfig has it. When the API server refuses it, the files are
 * read again: somebody may have put another token there. Cluster and context stay those of the
 * start.
 */
final class ContextUser implements CredentialSource {

    private static final Logger LOG = LoggerFactory.getLogger(ContextUser.class);

    private final List<Path> files;
    private final String context;
    private final String server;
    private final Function<KubeconfigEntry, User> users;
    private KubeconfigEntry entry;
    private User user;

    /**
     * @param users makes a user of its entry
     */
    ContextUser(
            List<Path> files,
            Kubeconfig.Selection selection,
            Function<KubeconfigEntry, User> users) {
        this.files = files;
        this.context = selection.context();
        this.server = selection.cluster().text("server");
        this.users = users;
        this.entry = selection.user();
        this.user = users.apply(entry);
    }

    private synchronized User user() {
        return user;
    }

    @Override
    public Credentials current() {
        return user().current();
    }

    @Override
    public boolean renew(Credentials refused) {
        try {
            return user().renew(refused) || isReplaced() && !current().equals(refused);
        } catch (InvalidSettingException | NoCredentialException e) {
            LOG.warn("the API server refuses the credential that there was: {}", e.getMessage());
            return false;
        }
    }

    private synchronized boolean isReplaced() {
        Kubeconfig.Selection now = Kubeconfig.read(files).select(context);
        if (now.user().equals(entry) || !now.cluster().text("server").equals(server)) {
            return false;
        }
        user = users.apply(now.user());
        entry = now.user();
        return true;
    }

    @Override
    public Map<String, List<String>> impersonation() {
        return user().impersonation();
    }
}
