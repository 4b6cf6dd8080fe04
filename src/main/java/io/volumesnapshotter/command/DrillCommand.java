package io.volumesnapshotter.command;

import io.volumesnapshotter.drill.Check;
import io.volumesnapshotter.drill.Drill;
import io.volumesnapshotter.drill.DrillReport;
import io.volumesnapshotter.drill.ReportFiles;
import io.volumesnapshotter.drill.TrialAccess;
import io.volumesnapshotter.restore.RestrictedPod;
import io.volumesnapshotter.settings.Settings;
import io.volumesnapshotter.snapshot.Claim;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Proves that the newest snapshot of a claim restores. */
@Command(
        name = "drill",
        description = {
            "Proves that the newest snapshot of a claim restores: fills a temporary claim from it,",
            "has a pod read it, reports what that read, and removes both."
        },
        footer = {
            "%nExamples:",
            "  Every file can be read, and the data is not older than a day:",
            "    volume-snapshotter drill data --max-age 1d -n shop",
            "  As the user who owns the files, with a report to keep:",
            "    volume-snapshotter drill data --user 999 --report reports"
        })
final class DrillCommand extends ClusterCommand {

    @Parameters(paramLabel = "CLAIM", arity = "1..*", description = "The claims, one by one.")
    private List<String> claims;

    @Option(
            names = "--max-age",
            paramLabel = "TIME",
            defaultValue = "26h",
            description = "How old the data may be. Default: 26h.")
    private String maxAge;

    @Option(
            names = "--script",
            paramLabel = "SH",
            description =
                    "What a shell runs as the check; the data is at /data. Default: reads each file to its end, and fails where there is none.")
    private String script = Check.SCRIPT;

    @Option(
            names = "--image",
            paramLabel = "IMAGE",
            defaultValue = Check.IMAGE,
            description = "The pod's image, with /bin/sh. Default: docker.io/library/busybox:1.37.")
    private String image;

    @Option(
            names = "--user",
            paramLabel = "UID",
            defaultValue = "" + RestrictedPod.NOBODY,
            description = "The uid that the check runs as. Default: 65535.")
    private long user;

    @Option(
            names = "--check-timeout",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "How long the check may take. Default: 10m.")
    private String checkTimeout;

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "How long to wait for the volume, and then for the pod. Default: 10m.")
    private String wait;

    @Option(
            names = "--storage-class",
            paramLabel = "NAME",
            description = "The temporary claim's storage class. Default: that of the claim.")
    private String storageClass;

    @Option(
            names = "--report",
            paramLabel = "DIR",
            description =
                    "A directory that gets a report of each drill, as JSON and as a page in Markdown.")
    private Path report;

    private final InstantSource clock = InstantSource.system();

    DrillCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    Optional<String> component() {
        return Optional.of("drill");
    }

    @Override
    public Integer call() {
        Duration age = duration("max-age", maxAge);
        Duration limit = duration("wait", wait);
        if (user < 1) {
            throw CommandException.usage(
                    "--user " + user + ": the pod may not run as root", "give a uid above 0");
        }
        Check check = new Check(image, script, user, duration("check-timeout", checkTimeout));
        makeReportDirectory();
        List<DrillReport> reports = new ArrayList<>();
        try (Changing changing = Changing.load(wiring(), cluster().choice())) {
            Drill drill =
                    new Drill(
                            new TrialAccess(
                                    changing.client(),
                                    changing::send,
                                    clock,
                                    new Pause(interrupts()),
                                    console()::tell));
            for (String claim : claims) {
                if (interrupts().isInterrupted()) {
                    break;
                }
                DrillReport done =
                        drill.run(
                                new Drill.Plan(
                                        new Claim(changing.namespace(), claim),
                                        Optional.empty(),
                                        age,
                                        check,
                                        limit,
                                        Optional.ofNullable(storageClass)));
                keep(done);
                reports.add(done);
            }
        }
        return tell(reports);
    }

    private static Duration duration(String option, String text) {
        return new Settings(name -> "--" + name, name -> Optional.of(text)).duration(option);
    }

    private void makeReportDirectory() {
        if (report != null) {
            try {
                Files.createDirectories(report);
            } catch (IOException e) {
                throw CommandException.usage(
                        "--report %s: it cannot be written to".formatted(report),
                        "name a directory that can be made");
            }
        }
    }

    private void keep(DrillReport done) {
        if (report == null) {
            return;
        }
        try {
            new ReportFiles(report).write(done);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private int tell(List<DrillReport> reports) {
        output().write(
                        () -> ReportFiles.document(reports),
                        () ->
                                reports.stream()
                                        .filter(DrillReport::passed)
                                        .map(r -> "persistentvolumeclaim/" + r.claim().name())
                                        .toList(),
                        () -> reports.stream().flatMap(r -> lines(r).stream()).toList());
        reports.stream()
                .filter(done -> !done.passed())
                .forEach(
                        done ->
                                console()
                                        .error(
                                                "%s is not proven: %s -> see docs/drill.md, and what the check wrote"
                                                        .formatted(done.claim(), done.why())));
        reports.stream()
                .filter(done -> !done.left().isEmpty())
                .forEach(
                        done ->
                                console()
                                        .warn(
                                                "%s is still there; the next drill removes it"
                                                        .formatted(
                                                                String.join(", ", done.left()))));
        if (interrupts().isInterrupted()) {
            return ExitCode.INTERRUPTED;
        }
        int passed = (int) reports.stream().filter(DrillReport::passed).count();
        return ExitCode.of(passed, reports.size() - passed, false);
    }

    private static List<String> lines(DrillReport done) {
        List<String> lines = new ArrayList<>();
        if (done.passed()) {
            lines.add(done.claim() + " " + done.words());
        }
        done.output().forEach(line -> lines.add("  " + line));
        return lines;
    }
}
