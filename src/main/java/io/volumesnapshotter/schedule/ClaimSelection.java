package io.volumesnapshotter.schedule;

import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.NameFilter;
import io.volumesnapshotter.settings.ScheduleSettings;
import io.volumesnapshotter.settings.Setting;
import io.volumesnapshotter.settings.Settings;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which claims a schedule takes snapshots of.
 *
 * @param namespaces where; empty for the one that the program runs in, or with {@code *} for all
 * @param namespaceSelector where, by the namespaces' labels; excludes {@code namespaces}
 * @param names which, by name; empty for all that the other conditions leave
 * @param selector which, by label, in kubectl's syntax
 * @param storageClasses which, by storage class; empty for any
 * @param optIn whether a claim has to ask for snapshots by an annotation
 * @param skipUnused how long a claim may be unused and is selected still; empty for ever
 * @param classOfDriver the VolumeSnapshotClass for claims of a CSI driver
 */
public record ClaimSelection(
        NameFilter namespaces,
        Optional<String> namespaceSelector,
        NameFilter names,
        Optional<String> selector,
        Set<String> storageClasses,
        boolean optIn,
        Optional<Duration> skipUnused,
        Map<String, String> classOfDriver) {

    /**
     * @throws InvalidSettingException when a setting is wrong or two contradict each other
     */
    static ClaimSelection of(Settings settings) {
        NameFilter names = new NameFilter(settings.get(ScheduleSettings.CLAIMS));
        ClaimSelection selection =
                new ClaimSelection(
                        new NameFilter(settings.get(ScheduleSettings.NAMESPACE)),
                        settings.get(ScheduleSettings.NAMESPACE_SELECTOR),
                        names,
                        settings.get(ScheduleSettings.CLAIM_SELECTOR),
                        Set.copyOf(settings.get(ScheduleSettings.STORAGE_CLASS)),
                        settings.get(ScheduleSettings.OPT_IN),
                        settings.get(ScheduleSettings.SKIP_UNUSED),
                        settings.get(ScheduleSettings.SNAPSHOT_CLASS_BY_DRIVER));
        if (names.isEmpty()
                && selection.isByNameAlone()
                && !settings.text(ScheduleSettings.CLAIMS).equals(Settings.ALL)) {
            throw settings.invalid(
                    ScheduleSettings.CLAIMS,
                    "name at least one claim, several separated by commas; or give * for all, or a"
                            + " claim-selector");
        }
        for (Setting<?> condition :
                List.of(
                        ScheduleSettings.CLAIM_SELECTOR,
                        ScheduleSettings.STORAGE_CLASS,
                        ScheduleSettings.OPT_IN,
                        ScheduleSettings.SKIP_UNUSED,
                        ScheduleSettings.SNAPSHOT_CLASS_BY_DRIVER)) {
            if (names.isExact()
                    && !settings.text(condition).isEmpty()
                    && !settings.text(condition).equals("false")) {
                throw settings.invalid(
                        condition,
                        "claims that are named are not looked at; leave out one of claims and "
                                + condition.name());
            }
        }
        if (selection.namespaceSelector.isPresent() && !selection.namespaces.isEmpty()) {
            throw settings.invalid(
                    ScheduleSettings.NAMESPACE_SELECTOR,
                    "leave out one of namespace and namespace-selector");
        }
        return selection;
    }

    /** Whether names of claims and namespaces, or {@code *}, say all. */
    boolean isByNameAlone() {
        return selector.isEmpty()
                && storageClasses.isEmpty()
                && !optIn
                && namespaceSelector.isEmpty();
    }

    /** Whether the claims are known without looking at the cluster. */
    public boolean isByName() {
        return names.isExact()
                && namespaceSelector.isEmpty()
                && (namespaces.isEmpty() || namespaces.isExact());
    }

    /** Whether a claim's name is one of those that are meant, but for what is left out of them. */
    boolean isNamed(FoundClaim claim) {
        return names.includes(claim.name().name());
    }

    /** Why a claim whose name is meant is not selected, if so. */
    Optional<String> whyNot(FoundClaim claim, Instant now) {
        if (claim.isTemporary()) {
            return Optional.of("it is a temporary claim of a drill or browse");
        }
        Optional<String> excluded = names.excludedBy(claim.name().name());
        if (excluded.isPresent()) {
            return excluded.map(word -> "its name is left out by " + word);
        }
        if (!storageClasses.isEmpty() && !storageClasses.contains(claim.storageClass())) {
            return Optional.of(
                    claim.storageClass().isEmpty()
                            ? "it has no storage class"
                            : "its storage class is " + claim.storageClass());
        }
        if (skipUnused.isPresent()
                && claim.unusedSince()
                        .filter(since -> since.isBefore(now.minus(skipUnused.get())))
                        .isPresent()) {
            return claim.unusedSince().map(since -> "no pod has used it since " + since);
        }
        Optional<String> wish = claim.wish();
        if (wish.filter("false"::equals).isPresent()) {
            return Optional.of("its annotation " + Claims.SNAPSHOT + " is false");
        }
        return optIn && wish.isEmpty()
                ? Optional.of("it does not ask for it by the annotation " + Claims.SNAPSHOT)
                : Optional.empty();
    }

    /** The namespace in which all claims are, or empty when they may be in several. */
    public Optional<String> singleNamespace(String own) {
        if (namespaces.isEmpty() && namespaceSelector.isEmpty()) {
            return Optional.of(own);
        }
        return namespaceSelector.isEmpty() && namespaces.exact().size() == 1
                ? Optional.of(namespaces.exact().get(0))
                : Optional.empty();
    }
}
