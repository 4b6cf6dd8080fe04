package io.volumesnapshotter.routes;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.camel.main.SimpleMainShutdownStrategy;
import org.junit.jupiter.api.Test;

class ReloadableContextTest {

    /**
     * Camel's default strategy installs a hook for the end of the JVM beside the program's own. The
     * two stop the context at once, and now and then one of them printed a stack.
     */
    @Test
    void onlyTheProgramItselfStopsWhenItIsToldTo() {
        assertThat(ReloadableContext.main().getShutdownStrategy())
                .isExactlyInstanceOf(SimpleMainShutdownStrategy.class);
    }
}
