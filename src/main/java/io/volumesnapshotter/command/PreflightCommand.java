package io.volumesnapshotter.command;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.drill.Check;
import io.volumesnapshotter.drill.DeepTrial;
import io.volumesnapshotter.drill.TrialAccess;
import io.volumesnapshotter.kubernetes.ApiErrors;
import io.volumesnapshotter.preflight.Finding;
import io.volumesnapshotter.restore.ClaimLook;
import io.volumesnapshotter.schedule.Target;
import io.volumesnapshotter.snapshot.Claim;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Looks whether the cluster lets the schedules work. */
@Command(
        name = "preflight",
        description =
                "Looks whether the cluster lets the schedules work, and changes nothing but with --deep.",
        footer = {
            "%nExamples:",
            "  In the pod, beside the program:",
            "    volume-snapshotter preflight",
            "  With the rights of another account, for a machine to read:",
            "    volume-snapshotter preflight --as system:serviceaccount:shop:volume-snapshotter -o json",
            "  Whether a snapshot of a claim can be taken and restored, which it tries:",
            "    volume-snapshotter preflight --deep --claim orders -n shop"
        })
final class PreflightCommand extends ClusterCommand {

    private static final String COMPONENT = "drill";

    @Option(
            names = "--deep",
            description =
                    "Also tries one claim from end to end: takes a snapshot, fills a temporary claim from it, has a pod mount that, and removes all three.")
    private boolean deep;

    @Option(
            names = "--claim",
            paramLabel = "CLAIM",
            description = "With --deep: this claim. Default: the first that a schedule takes.")
    private String claim;

    @Option(
            names = "--image",
            paramLabel = "IMAGE",
            defaultValue = Check.IMAGE,
            description =
                    "With --deep: the pod's image, with /bin/sh. Default: docker.io/library/busybox:1.37.")
    private String image;

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            converter = ClusterOptions.Limit.class,
            defaultValue = "5m",
            description =
                    "With --deep: how long to wait for the snapshot, for the volume, and for the pod. Default: 5m.")
    private Duration wait;

    PreflightCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        if (form() == OutputOptions.Form.name) {
            throw CommandException.usage(
                    "-o name: findings are no objects", "give one of table, json, yaml");
        }
        if (claim != null && !deep) {
            throw CommandException.usage("--claim is for --deep", "give --deep, or leave it out");
        }
        Wiring.Look look = wiring().look(cluster().choice());
        if (deep && look.isConfigured() && !look.isAway()) {
            look = deeper(look);
        }
        return tell(look);
    }

    private Wiring.Look deeper(Wiring.Look look) {
        List<Finding> findings = new ArrayList<>(look.findings());
        boolean isAway = false;
        String what = "deep look";
        try (Changing changing = Changing.load(wiring(), cluster().choice())) {
            Optional<Target> taken = changing.taken(Optional.ofNullable(claim));
            if (claim == null && taken.isEmpty()) {
                findings.add(
                        Finding.error(
                                what,
                                "no schedule takes a claim in namespace " + changing.namespace(),
                                "give --claim the name of one"));
                return new Wiring.Look(findings, true, false);
            }
            Claim tried =
                    taken.map(Target::claim)
                            .orElseGet(() -> new Claim(changing.namespace(), claim));
            what = "deep look at claim " + tried;
            if (ClaimLook.at(changing.client(), tried).isEmpty()) {
                findings.add(
                        Finding.error(
                                what, "there is no such claim", "give --claim the name of one"));
                return new Wiring.Look(findings, true, false);
            }
            DeepTrial.Result result =
                    new DeepTrial(
                                    new TrialAccess(
                                            changing.client(),
                                            changing::send,
                                            InstantSource.system(),
                                            new Pause(interrupts()),
                                            console()::tell))
                            .run(
                                    new DeepTrial.Plan(
                                            tried,
                                            taken.flatMap(Target::snapshotClassName),
                                            image,
                                            wait));
            findings.add(finding(what, result));
        } catch (KubernetesClientException e) {
            isAway = ApiErrors.isPassing(e);
            findings.add(Finding.error(what, ApiErrors.reason(e), ApiErrors.remedy(e, COMPONENT)));
        }
        return new Wiring.Look(findings, true, isAway);
    }

    private static Finding finding(String what, DeepTrial.Result result) {
        if (!result.left().isEmpty()) {
            return Finding.error(
                    what,
                    "%s; %s is still there"
                            .formatted(result.words(), String.join(", ", result.left())),
                    "see what holds it; the next deep look removes it");
        }
        return result.passed()
                ? Finding.info(what, result.words() + "; all of it is removed", "")
                : Finding.error(
                        what,
                        result.words(),
                        "see docs/preflight.md#a-deep-look; what it made is removed");
    }

    private int tell(Wiring.Look look) {
        output().write(
                        () -> document(look.findings()),
                        List::of,
                        () -> look.findings().stream().map(Finding::toString).toList());
        if (interrupts().isInterrupted()) {
            return ExitCode.INTERRUPTED;
        }
        if (!look.isConfigured()) {
            return ExitCode.CONFIG;
        }
        if (look.isAway()) {
            return ExitCode.AGAIN;
        }
        return look.findings().stream().anyMatch(f -> f.weight() == Finding.Weight.ERROR)
                ? ExitCode.NOTHING
                : ExitCode.OK;
    }

    private static Map<String, Object> document(List<Finding> findings) {
        Map<String, Object> document = Output.document("Findings");
        document.put(
                "items",
                findings.stream()
                        .map(
                                finding -> {
                                    Map<String, Object> item = new LinkedHashMap<>();
                                    item.put(
                                            "weight",
                                            finding.weight().name().toLowerCase(Locale.ROOT));
                                    item.put("what", finding.what());
                                    item.put("words", finding.words());
                                    item.put("remedy", finding.remedy());
                                    return item;
                                })
                        .toList());
        return document;
    }
}
