package io.volumesnapshotter.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.Route;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which schedules are there, by what a context tells of its routes. */
class ScheduleRegistryTest {

    private static final String NEW_YEAR = "0+0+0+1+1+?";
    private static final Instant TEN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Instant LAST_NEW_YEAR = Instant.parse("2026-01-01T00:00:00Z");

    private final AtomicReference<Instant> wall = new AtomicReference<>(TEN);
    private final AtomicReference<Instant> steady = new AtomicReference<>(TEN);
    private final ScheduleRegistry registry = new ScheduleRegistry(wall::get, steady::get);
    private final DefaultCamelContext context = new DefaultCamelContext();

    @BeforeEach
    void startContext() throws Exception {
        context.disableJMX();
        context.getPropertiesComponent().addLocation("classpath:application.properties");
        context.getPropertiesComponent().addOverrideProperty("snapshotter.claims", "data");
        context.addComponent("policy", new PolicyComponent(PolicyComponent.Kind.POLICY, registry));
        context.addLifecycleStrategy(registry);
        add("first", NEW_YEAR, "");
        context.start();
    }

    @AfterEach
    void stopContext() {
        context.stop();
    }

    private void add(String name, String cron, String policy) throws Exception {
        context.addRoutes(
                new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("quartz:test/" + name + "?trigger.timeZone=UTC&cron=" + cron)
                                .routeId(name)
                                .to("policy:" + name + policy);
                    }
                });
    }

    private void remove(String name) throws Exception {
        context.getRouteController().stopRoute(name);
        context.removeRoute(name);
    }

    private void pass(Duration time) {
        steady.updateAndGet(now -> now.plus(time));
    }

    private ScheduleEntry find(String name) {
        return registry.find(name).orElseThrow();
    }

    @Test
    void oneThatWasThereAtTheStartWasDueBefore() {
        assertThat(find("first").lastDue()).contains(LAST_NEW_YEAR);
        assertThat(find("first").route()).contains(context.getRoute("first"));
    }

    @Test
    void oneThatComesLaterWasNot() throws Exception {
        add("second", NEW_YEAR, "");
        assertThat(find("second").lastDue()).isEmpty();
        assertThat(registry.entries())
                .extracting(ScheduleEntry::name)
                .containsExactly("first", "second");
    }

    @Test
    void aRouteWithoutAPolicyIsNoSchedule() throws Exception {
        context.addRoutes(
                new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("direct:step").routeId("step").to("log:step");
                    }
                });
        assertThat(registry.find("step")).isEmpty();
    }

    @Test
    void oneThatIsExchangedIsTheSameWithItsNewPolicy() throws Exception {
        Route before = context.getRoute("first");
        remove("first");
        assertThat(find("first").route()).isEmpty();
        pass(Duration.ofSeconds(4));
        assertThat(registry.isStopped("first")).isFalse();
        add("first", NEW_YEAR, "?keep-last=7");
        assertThat(find("first").lastDue()).contains(LAST_NEW_YEAR);
        assertThat(find("first").route()).contains(context.getRoute("first"));
        assertThat(context.getRoute("first")).isNotSameAs(before);
        assertThat(find("first").schedule().policy().keep().toString()).contains("7");
        pass(Duration.ofSeconds(60));
        registry.advance();
        assertThat(registry.isStopped("first")).isFalse();
    }

    @Test
    void oneWithAnotherTriggerIsAnother() throws Exception {
        remove("first");
        add("first", "0+0+0+2+1+?", "");
        assertThat(find("first").lastDue()).isEmpty();
        assertThat(find("first").nextDue()).contains(Instant.parse("2027-01-02T00:00:00Z"));
    }

    @Test
    void whatWasKnownOfOneThatIsGoneIsForgotten() throws Exception {
        Set<String> held = new HashSet<>(Set.of("first", "never there"));
        registry.clear(isThere -> held.removeIf(isThere.negate()));
        registry.suspend("first", true);
        registry.advance();
        assertThat(held).containsExactly("first");
        remove("first");
        registry.advance();
        assertThat(held).containsExactly("first");
        pass(ScheduleRegistry.GONE_AFTER.plusMillis(1));
        registry.advance();
        assertThat(held).isEmpty();
        add("first", NEW_YEAR, "");
        assertThat(registry.isSuspended(find("first").schedule())).isFalse();
    }

    @Test
    void oneThatStaysAwayIsStoppedAndThenForgotten() throws Exception {
        remove("first");
        // The wall clock says nothing about it.
        wall.set(TEN.plusSeconds(7200));
        registry.advance();
        assertThat(registry.isStopped("first")).isFalse();
        pass(ScheduleRegistry.STOPPED_AFTER.plusMillis(1));
        registry.advance();
        assertThat(registry.isStopped("first")).isTrue();
        assertThat(registry.find("first")).isPresent();
        pass(ScheduleRegistry.GONE_AFTER.minus(ScheduleRegistry.STOPPED_AFTER));
        registry.advance();
        assertThat(registry.find("first")).isEmpty();
        assertThat(registry.isStopped("first")).isTrue();
        add("first", NEW_YEAR, "");
        assertThat(find("first").lastDue()).isEmpty();
        assertThat(registry.isStopped("first")).isFalse();
    }

    @Test
    void oneThatLosesItsPolicyIsNoneAnyMore() throws Exception {
        remove("first");
        context.addRoutes(
                new RouteBuilder() {
                    @Override
                    public void configure() {
                        from("direct:first").routeId("first").to("log:first");
                    }
                });
        pass(ScheduleRegistry.GONE_AFTER.plusMillis(1));
        registry.advance();
        assertThat(registry.find("first")).isEmpty();
    }

    @Test
    void itRestsWhileItIsSuspendedByHand() {
        registry.suspend("first", true);
        assertThat(registry.isResting(find("first"))).isTrue();
        assertThat(registry.isStopped("first")).isTrue();
        registry.suspend("first", false);
        assertThat(registry.isResting(find("first"))).isFalse();
        assertThat(registry.isStopped("first")).isFalse();
    }

    @Test
    void itRestsWhenItsFileSaysSo() throws Exception {
        add("second", NEW_YEAR, "?suspend=true");
        assertThat(registry.isResting(find("second"))).isTrue();
        assertThat(registry.isStopped("second")).isTrue();
    }

    @Test
    void itRestsWhileItsRouteIsStopped() throws Exception {
        context.getRouteController().stopRoute("first");
        assertThat(registry.isResting(find("first"))).isTrue();
        assertThat(registry.isStopped("first")).isTrue();
        context.getRouteController().startRoute("first");
        assertThat(registry.isResting(find("first"))).isFalse();
        assertThat(find("first").lastDue()).contains(LAST_NEW_YEAR);
    }

    @Test
    void fireTimesComeAsTimePassesAndAgainWhenTheClockIsSetBack() {
        Instant newYear = Instant.parse("2027-01-01T00:00:00Z");
        wall.set(newYear.plusSeconds(5));
        registry.advance();
        assertThat(find("first").lastDue()).contains(newYear);
        wall.set(newYear.minusSeconds(5));
        registry.adjustToClock();
        registry.advance();
        assertThat(find("first").lastDue()).isEmpty();
        assertThat(find("first").nextDue()).contains(newYear);
    }
}
