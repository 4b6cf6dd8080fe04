package io.volumesnapshotter.observe;

import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.ManagementAgent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Shows the program's own MBeans beside those of Camel. */
public final class Management {

    /** The domain of the program's own MBeans. */
    static final String DOMAIN = "io.volumesnapshotter";

    private static final Logger LOG = LoggerFactory.getLogger(Management.class);

    private Management() {}

    /** Shows an MBean from the start of the context to its end. */
    public static void show(CamelContext context, String type, Object bean) throws Exception {
        context.addStartupListener((started, alreadyStarted) -> show(started, name(type), bean));
    }

    /** Shows an MBean from now to the end of the context. */
    public static void show(CamelContext context, ObjectName name, Object bean) {
        ManagementAgent agent = context.getManagementStrategy().getManagementAgent();
        try {
            if (agent != null) {
                agent.register(bean, name);
            }
        } catch (InstanceAlreadyExistsException e) {
            LOG.debug("{} is shown by another program in this JVM", name);
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Shows an MBean no more. */
    static void hide(CamelContext context, ObjectName name) {
        ManagementAgent agent = context.getManagementStrategy().getManagementAgent();
        try {
            if (agent != null) {
                agent.unregister(name);
            }
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
    }

    public static ObjectName name(String type) {
        return parse(DOMAIN + ":type=" + type);
    }

    public static ObjectName name(String type, String name) {
        return parse(DOMAIN + ":type=" + type + ",name=" + name);
    }

    private static ObjectName parse(String name) {
        try {
            return new ObjectName(name);
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether the management server is on, which has health and metrics. */
    public static boolean isOn(CamelContext context) {
        return context.getPropertiesComponent()
                .resolveProperty("camel.management.enabled")
                .map(Boolean::parseBoolean)
                .orElse(false);
    }
}
