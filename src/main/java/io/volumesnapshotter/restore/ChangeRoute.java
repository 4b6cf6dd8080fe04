package io.volumesnapshotter.restore;

import io.volumesnapshotter.kubernetes.Change;
import java.util.function.Consumer;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.ProducerTemplate;

/** Has changes carried out by the route {@value #ROUTE}, which is the user's to change. */
public final class ChangeRoute implements Consumer<Change> {

    /** Its id. */
    public static final String ROUTE = "change-object";

    private final ProducerTemplate template;

    public ChangeRoute(ProducerTemplate template) {
        this.template = template;
    }

    /**
     * Has a change carried out; what fails is thrown as it was.
     *
     * @throws RefusedException when the route does not do it
     */
    @Override
    public void accept(Change change) {
        try {
            if (!Boolean.TRUE.equals(template.requestBody("direct:" + ROUTE, change))) {
                throw new RefusedException(
                        "route %s does not %s".formatted(ROUTE, change),
                        "its last step has to be bean changes.send, as in this release's routes");
            }
        } catch (CamelExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }
}
