package io.volumesnapshotter.schedule;

import org.apache.camel.spi.PropertiesFunction;

/** Lets routes write {@code {{cron:@hourly}}} where Quartz wants its own form. */
public final class CronFunction implements PropertiesFunction {

    @Override
    public String getName() {
        return "cron";
    }

    @Override
    public String apply(String remainder) {
        return Cron.toQuartz("cron", remainder);
    }
}
