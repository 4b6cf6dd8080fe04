package io.volumesnapshotter.preflight;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.schedule.Claims;
import io.volumesnapshotter.schedule.FoundClaim;
import io.volumesnapshotter.schedule.Policy;
import io.volumesnapshotter.schedule.Schedule;
import io.volumesnapshotter.snapshot.Claim;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Looks at the claims that schedules name or select, and at their snapshot classes. */
final class ClaimCheck {

    private final ClusterLook look;
    private final Claims claims;
    private final List<Schedule> schedules;
    private final Map<Optional<String>, Boolean> claimsRead = new HashMap<>();

    ClaimCheck(ClusterLook look, Claims claims, List<Schedule> schedules) {
        this.look = look;
        this.claims = claims;
        this.schedules = schedules;
    }

    void look() {
        SnapshotClasses classes = SnapshotClasses.of(look).orElse(null);
        Map<Claim, Optional<FoundClaim>> named = namedClaims();
        for (Schedule schedule : schedules) {
            Policy policy = schedule.policy();
            if (!policy.takes()) {
                continue;
            }
            if (classes != null) {
                policy.snapshotClassName().ifPresent(classes::tell);
                policy.selection().classOfDriver().values().stream()
                        .distinct()
                        .forEach(classes::tell);
            }
            if (!policy.selection().isByName()) {
                selected(schedule, classes);
                continue;
            }
            boolean unknown = false;
            for (Claim claim : claims.named(schedule)) {
                FoundClaim found = named.getOrDefault(claim, Optional.empty()).orElse(null);
                unknown |= !named.containsKey(claim);
                if (found != null && classes != null && found.reasonToSkip().isEmpty()) {
                    classes.add(found, policy.snapshotClassName());
                }
            }
            if (unknown && classes != null && policy.snapshotClassName().isEmpty()) {
                classes.tellAnyDefault();
            }
        }
        if (classes != null) {
            classes.tellGroups();
        }
    }

    /** The claims that schedules name, as far as they can be read; an empty one is not there. */
    private Map<Claim, Optional<FoundClaim>> namedClaims() {
        Set<Claim> all = new LinkedHashSet<>();
        schedules.stream()
                .filter(schedule -> schedule.policy().takes())
                .filter(schedule -> schedule.policy().selection().isByName())
                .forEach(schedule -> all.addAll(claims.named(schedule)));
        Map<Claim, Optional<FoundClaim>> read = new HashMap<>();
        Set<String> refused = new TreeSet<>();
        all.stream()
                .limit(ClusterCheck.MOST)
                .filter(claim -> !refused.contains(claim.namespace()))
                .forEach(
                        claim -> {
                            try {
                                read.put(claim, claims.get(claim));
                            } catch (KubernetesClientException e) {
                                if (!look.isRefusal(e)) {
                                    throw e;
                                }
                                refused.add(claim.namespace());
                            }
                        });
        read.forEach((claim, found) -> tellClaim(claim, found.orElse(null)));
        if (!refused.isEmpty()) {
            look.tell(
                    Finding.info(
                            "claims",
                            "those that are named are not looked at, because the program's account"
                                    + " may not get persistentvolumeclaims in namespace "
                                    + String.join(", ", refused),
                            ClusterCheck.OPTIONAL));
        }
        if (all.size() > ClusterCheck.MOST) {
            look.tell(
                    Finding.info(
                            "claims",
                            "of %,d that are named the first %d are looked at"
                                    .formatted(all.size(), ClusterCheck.MOST),
                            ""));
        }
        return read;
    }

    private void tellClaim(Claim claim, FoundClaim found) {
        String what = "claim " + claim;
        if (found == null) {
            look.tell(
                    Finding.error(
                            what, "there is none", "create it or correct claims and namespace"));
        } else {
            found.reasonToSkip()
                    .ifPresent(
                            reason ->
                                    look.tell(
                                            Finding.error(
                                                    what,
                                                    reason,
                                                    "no snapshot can be taken of it: mend it or"
                                                            + " remove it from the schedule")));
        }
    }

    private void selected(Schedule schedule, SnapshotClasses classes) {
        Optional<String> where = schedule.policy().selection().singleNamespace(look.own());
        if (!claimsRead.getOrDefault(where, true)) {
            return;
        }
        List<FoundClaim> selected = look.ask(() -> claims.selected(schedule)).orElse(null);
        if (selected == null) {
            // The right that is missing is told with the others.
            claimsRead.put(where, false);
            return;
        }
        Map<Claim, String> skipped = new LinkedHashMap<>();
        for (FoundClaim claim : selected) {
            claim.reasonToSkip().ifPresent(reason -> skipped.put(claim.name(), reason));
            if (classes != null && claim.reasonToSkip().isEmpty()) {
                classes.add(claim, claims.classOf(claim, schedule.policy()));
            }
        }
        String what = "schedule " + schedule.name();
        int taken = selected.size() - skipped.size();
        if (taken == 0) {
            look.tell(
                    Finding.warn(
                            what,
                            "it selects no claim of which a snapshot can be taken",
                            "look at claims and namespace of the schedule"));
        } else {
            look.tell(Finding.info(what, "claims that it takes now: %,d".formatted(taken), ""));
        }
        if (!skipped.isEmpty()) {
            Map.Entry<Claim, String> first = skipped.entrySet().iterator().next();
            look.tell(
                    Finding.warn(
                            what,
                            "claims that it selects and skips: %,d; of %s %s"
                                    .formatted(skipped.size(), first.getKey(), first.getValue()),
                            "mend them, or keep them out by the annotation "
                                    + Claims.SNAPSHOT
                                    + "=false"));
        }
    }
}
