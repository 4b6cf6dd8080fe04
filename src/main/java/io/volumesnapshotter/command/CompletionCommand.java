package io.volumesnapshotter.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints what lets a shell complete commands and options. */
@Command(
        name = "completion",
        description = "Prints what lets a shell complete the commands and their options.",
        footer = {
            "%nExamples:",
            "  For bash or zsh, in this session:",
            "    source <(volume-snapshotter completion bash)",
            "  For fish, in all sessions:",
            "    volume-snapshotter completion fish > ~/.config/fish/completions/volume-snapshotter.fish"
        })
final class CompletionCommand implements Callable<Integer> {

    /** The shells. */
    enum Shell {
        bash,
        zsh,
        fish
    }

    @Spec private CommandSpec spec;

    @Parameters(arity = "1", paramLabel = "SHELL", description = "One of ${COMPLETION-CANDIDATES}.")
    private Shell shell;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this help.")
    private boolean help;

    private final Console console;

    CompletionCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CommandLine all = spec.parent().commandLine();
        switch (shell) {
            // What is made for bash switches zsh to the compatible way.
            case bash, zsh -> console.print(AutoComplete.bash(all.getCommandName(), all));
            case fish -> fish(all).forEach(console::print);
        }
        return ExitCode.OK;
    }

    private static List<String> fish(CommandLine all) {
        String name = all.getCommandName();
        List<String> lines = new ArrayList<>();
        lines.add("complete -c " + name + " -f");
        for (Map.Entry<String, CommandLine> entry : all.getSubcommands().entrySet()) {
            CommandSpec command = entry.getValue().getCommandSpec();
            lines.add(
                    "complete -c %s -n __fish_use_subcommand -a %s -d %s"
                            .formatted(
                                    name,
                                    entry.getKey(),
                                    quoted(command.usageMessage().description())));
            for (OptionSpec option : command.options()) {
                if (!option.hidden()) {
                    lines.add(
                            "complete -c %s -n '__fish_seen_subcommand_from %s'%s"
                                    .formatted(name, entry.getKey(), option(option)));
                }
            }
        }
        return lines;
    }

    private static String option(OptionSpec option) {
        StringBuilder line = new StringBuilder();
        for (String name : option.names()) {
            line.append(name.startsWith("--") ? " -l " : " -s ")
                    .append(name.replaceFirst("^-+", ""));
        }
        if (option.arity().max() > 0) {
            line.append(option.paramLabel().equals("FILE") ? " -rF" : " -x");
        }
        if (option.completionCandidates() != null) {
            line.append(" -a '")
                    .append(String.join(" ", option.completionCandidates()))
                    .append('\'');
        }
        return line.append(" -d ").append(quoted(option.description())).toString();
    }

    /** The first line of a description, as fish takes it. */
    private static String quoted(String[] description) {
        String first = description.length == 0 ? "" : description[0];
        return "'" + first.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
