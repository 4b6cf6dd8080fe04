package io.volumesnapshotter.command;

import io.volumesnapshotter.preflight.Finding;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;

/** Looks whether the cluster lets the schedules work. */
@Command(
        name = "preflight",
        description = "Looks whether the cluster lets the schedules work, and changes nothing.",
        footer = {
            "%nExamples:",
            "  In the pod, beside the program:",
            "    volume-snapshotter preflight",
            "  With the rights of another account, for a machine to read:",
            "    volume-snapshotter preflight --as system:serviceaccount:shop:volume-snapshotter -o json"
        })
final class PreflightCommand extends ClusterCommand {

    PreflightCommand(CommandEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        if (form() == OutputOptions.Form.name) {
            throw CommandException.usage(
                    "-o name: findings are no objects", "give one of table, json, yaml");
        }
        Wiring.Look look = wiring().look(cluster().choice());
        output().write(
                        () -> document(look.findings()),
                        List::of,
                        () -> look.findings().stream().map(Finding::toString).toList());
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
