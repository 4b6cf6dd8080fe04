package io.volumesnapshotter.drill;

import io.volumesnapshotter.run.Firing;
import io.volumesnapshotter.run.MissedException;
import io.volumesnapshotter.run.Run;
import io.volumesnapshotter.run.RunKind;
import io.volumesnapshotter.run.RunStart;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.DrillPolicy;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.schedule.Trigger;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs that drill: over the claims whose turn it is. That one took place is seen by what is kept of
 * it.
 */
final class DrillRuns implements RunKind {

    private static final Logger LOG = LoggerFactory.getLogger(DrillRuns.class);

    private final RunStart starts;
    private final Claims claims;
    private final Proofs proofs;
    private final CamelContext context;

    DrillRuns(RunStart starts, Claims claims, Proofs proofs, CamelContext context) {
        this.starts = starts;
        this.claims = claims;
        this.proofs = proofs;
        this.context = context;
    }

    @Override
    public Run run(Firing firing) {
        DrillPolicy policy = firing.schedule().policy().drill().orElseThrow();
        Set<Claim> selected =
                claims.of(firing.schedule()).stream()
                        .map(Target::claim)
                        .collect(Collectors.toCollection(LinkedHashSet::new));
        Optional<Duration> interval =
                Trigger.of(context.getRoute(firing.schedule().name()))
                        .flatMap(trigger -> trigger.intervalAt(firing.due()));
        Rotation rotation = new Rotation(policy, interval, selected, proofs.anyKnown().proofs());
        if (!rotation.fits()) {
            LOG.warn(
                    "{}: {} claims cannot each be proven within {} by at most {} in a run every {}: let it"
                            + " run more often, or raise max-drills to {}",
                    firing.run(),
                    selected.size(),
                    Settings.text(policy.within()),
                    policy.most(),
                    interval.map(Settings::text).orElse("?"),
                    rotation.share());
        }
        List<Claim> next = rotation.next(firing.due());
        return starts.drill(firing, next, selected);
    }

    private Proofs.LastRun last(Firing firing) {
        return proofs.anyKnown().runs().get(firing.schedule().name());
    }

    @Override
    public boolean isOver(Firing firing) {
        Proofs.LastRun last = last(firing);
        return last != null
                && (last.due().isAfter(firing.due())
                        || last.due().equals(firing.due()) && last.ended());
    }

    @Override
    public boolean isCutOff(Run run, Firing firing, Optional<Trigger> trigger, boolean wasThere)
            throws MissedException {
        if (isOver(firing)) {
            return false;
        }
        Proofs.LastRun last = last(firing);
        if (last != null && last.due().equals(firing.due())) {
            return true;
        }
        if (last == null && !wasThere) {
            // It may have been installed since.
            return false;
        }
        throw new MissedException(
                firing.schedule().policy().startingDeadline(), "nothing shows that it was begun");
    }
}
