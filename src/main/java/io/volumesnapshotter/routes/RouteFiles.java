package io.volumesnapshotter.routes;

import io.volumesnapshotter.settings.InvalidSettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;

/**
 * The route files of a directory, and which version of each runs. All are checked before any is
 * used, so that a mistake is told with the file's name, and touches nothing that runs.
 */
public final class RouteFiles {

    public static final String SUFFIX = ".camel.yaml";

    private final Path directory;
    private final RouteDirectory files;
    private final RouteReport report;
    private final Map<Path, String> running = new TreeMap<>();
    private RouteSet routes;
    private RouteDirectory.Reading judged;
    private RouteDirectory.Reading glimpsed;

    /**
     * A file of which a version runs, or none because it is wrong.
     *
     * @param version the first digits of the SHA-256 of the text that runs; empty when none does
     * @param since when this version was loaded, or found wrong
     * @param error why what is in the file does not run; empty when it does
     */
    public record Loaded(String version, Instant since, Optional<String> error) {}

    /**
     * How the reloads went.
     *
     * @param files the files by their names
     * @param reloads how often at least one file was taken
     * @param failures how often at least one file was refused
     * @param lastReload when files were taken last; empty before the first time
     * @param lastError what was refused last; empty when all that is there runs
     */
    public record Status(
            Map<String, Loaded> files,
            long reloads,
            long failures,
            Optional<Instant> lastReload,
            Optional<String> lastError) {

        /** How many files hold something that does not run; 1 when there is no file any more. */
        public long wrong() {
            long refused = files.values().stream().filter(file -> file.error().isPresent()).count();
            return Math.max(refused, lastError.isPresent() ? 1 : 0);
        }
    }

    /**
     * @param directory the directory; a symbolic link to one, as in a ConfigMap mount, is followed
     */
    public RouteFiles(Path directory, InstantSource clock) {
        this.directory = directory;
        files = new RouteDirectory(directory);
        report = new RouteReport(clock);
    }

    /**
     * Checks all files and adds the routes of those that are right to the context, which is not
     * started yet. A file that is wrong is told and left out, as long as the others can work
     * without it.
     *
     * @throws InvalidSettingException when the directory is not usable, or the files that are right
     *     do not make a program: a schedule, all routes that they call, the error handling
     */
    public synchronized void load(CamelContext context) throws Exception {
        if (!Files.isDirectory(directory)) {
            throw new InvalidSettingException(
                    "snapshotter.routes", directory.toString(), "there is no such directory");
        }
        judged = files.read();
        if (judged.isEmpty()) {
            throw new InvalidSettingException(
                    "snapshotter.routes",
                    directory.toString(),
                    "it holds no *" + SUFFIX + " file; copy the program's routes there");
        }
        routes = RouteSet.of(context, directory, judged.texts(), Set.of());
        Map<Path, InvalidSettingException> wrong = judged.wrong();
        wrong.putAll(routes.wrong());
        if (!wrong.isEmpty() && (!routes.lacking().isEmpty() || !routes.hasSchedule())) {
            throw wrong.values().iterator().next();
        }
        if (!routes.lacking().isEmpty()) {
            throw routes.lacking().values().iterator().next();
        }
        running.putAll(judged.texts());
        running.keySet().removeAll(wrong.keySet());
        report.tellStart(running, judged.texts(), wrong);
        routes.addTo(context, running.keySet());
    }

    /** What is wrong with a file, if that is why the routes of all do not start. */
    public synchronized Optional<InvalidSettingException> mistake(
            CamelContext context, Throwable failure) {
        RouteMistake mistake = RouteMistake.of(context, failure);
        return Optional.ofNullable(routes == null ? null : routes.files().get(mistake.route()))
                .map(file -> mistake.in(file, running.get(file), 0));
    }

    /** Which version of each file runs, and how the reloads went. */
    public synchronized Status status() {
        return report.status();
    }

    /**
     * Looks for edits, and takes those that are right; of others the last good version runs on.
     *
     * @param again whether what was refused is tried again though it has not changed
     * @return whether something has changed that may not be written to its end yet, so that it is
     *     to be looked at again soon
     */
    synchronized boolean reload(ReloadableContext context, boolean again) throws Exception {
        context.disposeDone();
        RouteDirectory.Reading reading = files.read();
        if (reading.equals(judged) && !(again && report.hasError())) {
            glimpsed = null;
            return false;
        }
        if (!reading.equals(judged) && !files.isMounted() && !reading.equals(glimpsed)) {
            glimpsed = reading;
            return true;
        }
        judged = reading;
        if (reading.isEmpty()) {
            report.refuse(directory + " holds no *" + SUFFIX + " file any more");
            return false;
        }
        if (reading.unreadable().containsKey(directory)) {
            report.refuse(reading.wrong().get(directory).getMessage());
            return false;
        }
        take(context, reading);
        return false;
    }

    private void take(ReloadableContext context, RouteDirectory.Reading reading) throws Exception {
        Set<Path> changes = new TreeSet<>(running.keySet());
        changes.addAll(reading.texts().keySet());
        changes.removeIf(file -> Objects.equals(running.get(file), reading.texts().get(file)));
        Map<Path, InvalidSettingException> failed = reading.wrong();
        Map<Path, InvalidSettingException> wrong;
        Set<Path> taken;
        do {
            // What was wrong beside one that did not start may be right without it.
            wrong = new TreeMap<>(failed);
            changes.removeAll(failed.keySet());
            taken = acceptable(context, changes, reading.texts(), wrong);
        } while (swap(context, taken, reading.texts(), failed).isPresent());
        report.tell(taken, running, reading.texts(), wrong);
    }

    /** Those of the changes with which all files together are right. */
    private Set<Path> acceptable(
            CamelContext context,
            Set<Path> changes,
            Map<Path, String> texts,
            Map<Path, InvalidSettingException> wrong) {
        Set<Path> taken = new TreeSet<>(changes);
        Map<Path, InvalidSettingException> left = new TreeMap<>();
        while (!taken.isEmpty()) {
            RouteSet set = RouteSet.of(context, directory, with(taken, texts), routes.schedules());
            if (set.isRight()) {
                break;
            }
            Map<Path, InvalidSettingException> blamed =
                    new TreeMap<>(set.wrong().isEmpty() ? set.lacking() : set.wrong());
            blamed.keySet().retainAll(taken);
            if (blamed.isEmpty()) {
                // A file that did not change would be wrong.
                taken.clear();
            }
            left.putAll(blamed);
            taken.removeAll(blamed.keySet());
        }
        addOneByOne(context, taken, changes, texts, left);
        wrong.putAll(left);
        return taken;
    }

    /**
     * Adds the changes that are right beside those that are taken, whatever others there were.
     *
     * @param left why the others are not; kept up to date
     */
    private void addOneByOne(
            CamelContext context,
            Set<Path> taken,
            Set<Path> changes,
            Map<Path, String> texts,
            Map<Path, InvalidSettingException> left) {
        int before;
        do {
            before = taken.size();
            for (Path file : changes) {
                Set<Path> more = new TreeSet<>(taken);
                if (more.add(file)) {
                    RouteSet set =
                            RouteSet.of(context, directory, with(more, texts), routes.schedules());
                    if (set.isRight()) {
                        taken.add(file);
                        left.remove(file);
                    } else {
                        left.putIfAbsent(
                                file,
                                Stream.concat(
                                                set.wrong().values().stream(),
                                                set.lacking().values().stream())
                                        .findFirst()
                                        .orElseThrow());
                    }
                }
            }
        } while (taken.size() > before);
    }

    /**
     * What would run with these changes; they come last, new files behind all others, so that they
     * are what is wrong.
     */
    private Map<Path, String> with(Set<Path> taken, Map<Path, String> texts) {
        Map<Path, String> all = new LinkedHashMap<>(running);
        all.keySet().removeAll(taken);
        taken.stream()
                .filter(texts::containsKey)
                .sorted(Comparator.comparing(file -> !running.containsKey(file)))
                .forEach(file -> all.put(file, texts.get(file)));
        return all;
    }

    /**
     * Lets changes take the place of what runs.
     *
     * @return why they do not start; then what ran before runs again
     */
    private Optional<InvalidSettingException> swap(
            ReloadableContext context,
            Set<Path> taken,
            Map<Path, String> texts,
            Map<Path, InvalidSettingException> wrong)
            throws Exception {
        if (taken.isEmpty()) {
            return Optional.empty();
        }
        Map<Path, String> all = with(taken, texts);
        RouteSet next = RouteSet.of(context, directory, all, routes.schedules());
        boolean shared =
                taken.stream().anyMatch(file -> routes.isShared(file) || next.isShared(file));
        List<Path> added =
                all.keySet().stream()
                        .filter(file -> shared || taken.contains(file))
                        .sorted(
                                Comparator.comparing(next::isTriggered)
                                        .thenComparing(file -> !next.isShared(file)))
                        .toList();
        Set<Path> removed = new TreeSet<>(shared ? running.keySet() : taken);
        ReloadableContext.Swap swap =
                context.swap(
                        routes.files().entrySet().stream()
                                .filter(route -> removed.contains(route.getValue()))
                                .map(Map.Entry::getKey)
                                .toList(),
                        shared);
        for (Path file : added) {
            try {
                swap.load(RouteSet.resource(file, all.get(file)));
            } catch (Exception | LinkageError | StackOverflowError e) {
                swap.undo();
                RouteMistake mistake = RouteMistake.of(context, e);
                // What is shared shows in the routes of other files.
                Path culprit =
                        Stream.concat(Stream.of(file), taken.stream())
                                .filter(taken::contains)
                                .filter(cause -> cause.equals(file) || isIn(mistake, texts, cause))
                                .findFirst()
                                .orElse(file);
                InvalidSettingException failure = mistake.in(culprit, all.get(culprit), 0);
                (taken.contains(culprit) ? Set.of(culprit) : taken)
                        .forEach(cause -> wrong.put(cause, failure));
                return Optional.of(failure);
            }
        }
        swap.commit();
        routes = next;
        running.keySet().removeAll(taken);
        running.putAll(all);
        return Optional.empty();
    }

    private static boolean isIn(RouteMistake mistake, Map<Path, String> texts, Path file) {
        return texts.containsKey(file) && mistake.isIn(texts.get(file));
    }
}
