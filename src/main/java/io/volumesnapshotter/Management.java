package io.volumesnapshotter;

import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.ManagementAgent;

/** Shows the program's own MBeans beside those of Camel. */
final class Management {

    /** The domain of the program's own MBeans. */
    static final String DOMAIN = "io.volumesnapshotter";

    private Management() {}

    /** Shows an MBean from the start of the context to its end. */
    static void show(CamelContext context, String type, Object bean) throws Exception {
        context.addStartupListener(
                (started, alreadyStarted) -> {
                    ManagementAgent agent = started.getManagementStrategy().getManagementAgent();
                    if (agent != null) {
                        agent.register(bean, name(type));
                    }
                });
    }

    static ObjectName name(String type) {
        try {
            return new ObjectName(DOMAIN + ":type=" + type);
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
    }
}
