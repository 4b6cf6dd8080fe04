package io.volumesnapshotter.command;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What becomes of Ctrl-C and of a signal to end: the first one lets the command say what it leaves
 * behind and end in order, a second one ends the process at once.
 */
public final class Interrupts {

    private static final List<String> SIGNALS = List.of("INT", "TERM");

    private final Runnable end;
    private final AtomicBoolean interrupted = new AtomicBoolean();
    private final AtomicReference<Runnable> action = new AtomicReference<>();

    private Interrupts(Runnable end) {
        this.end = end;
    }

    /**
     * Those of a process that nothing interrupts but {@link #interrupt}.
     *
     * @param end ends the process at once
     */
    public static Interrupts of(Runnable end) {
        return new Interrupts(end);
    }

    /** Those of this process. Where the JVM hides signals, one ends it at once. */
    public static Interrupts ofProcess() {
        Interrupts interrupts = of(() -> Runtime.getRuntime().halt(ExitCode.INTERRUPTED));
        try {
            // By reflection: the compiler warns of the package, which all JVMs have.
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object proxy =
                    Proxy.newProxyInstance(
                            Interrupts.class.getClassLoader(),
                            new Class<?>[] {handler},
                            (self, method, arguments) -> {
                                if (method.getName().equals("handle")) {
                                    interrupts.interrupt();
                                    return null;
                                }
                                return switch (method.getName()) {
                                    case "equals" -> self == arguments[0];
                                    case "hashCode" -> System.identityHashCode(self);
                                    default -> "interrupts";
                                };
                            });
            for (String name : SIGNALS) {
                signal.getMethod("handle", signal, handler)
                        .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
            }
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            org.slf4j.LoggerFactory.getLogger(Interrupts.class)
                    .debug("signals are the JVM's own", e);
        }
        return interrupts;
    }

    /** Does what a signal does. */
    public void interrupt() {
        Runnable act = action.get();
        if (act == null || !interrupted.compareAndSet(false, true)) {
            end.run();
            return;
        }
        Thread ending = new Thread(act, "interrupt");
        ending.setDaemon(true);
        ending.start();
    }

    /** From now on the first one does this; it must return soon. */
    void onInterrupt(Runnable act) {
        action.set(act);
    }

    /** Whether there was one. */
    boolean isInterrupted() {
        return interrupted.get();
    }
}
