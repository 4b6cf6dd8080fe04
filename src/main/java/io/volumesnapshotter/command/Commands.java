package io.volumesnapshotter.command;

import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;

/** The command line with all commands. */
public final class Commands {

    /** Of help, in characters: an example fits into a line. */
    private static final int WIDTH = 110;

    /** The exit codes, for the help of each command. */
    private static final List<String> EXIT_CODES =
            List.of(
                    "0:all was done",
                    "1:nothing succeeded",
                    "2:wrong arguments",
                    "3:some claims failed",
                    "75:the API server or storage is away or late: try again",
                    "78:wrong settings, route files or kubeconfig",
                    "130:interrupted");

    private Commands() {}

    /**
     * Adds the commands to the program's.
     *
     * @param program the program itself, which serves
     * @param verbose is told whether the program's log is wanted, before a command runs
     */
    public static CommandLine line(
            Object program, CommandEnvironment environment, Consumer<Boolean> verbose) {
        CommandLine line = new CommandLine(program);
        commands(environment).forEach(line::addSubcommand);
        line.addSubcommand(new CompletionCommand(environment.console()));
        line.setUsageHelpWidth(WIDTH);
        line.getSubcommands().values().forEach(Commands::describe);
        Failed failed = new Failed(environment.console());
        line.setParameterExceptionHandler(failed);
        line.setExecutionExceptionHandler(failed);
        line.setExecutionStrategy(parsed -> execute(parsed, verbose));
        return line;
    }

    private static List<ClusterCommand> commands(CommandEnvironment environment) {
        return List.of(
                new TakeCommand(environment),
                new RunCommand(environment),
                new ListCommand(environment),
                new PlanCommand(environment),
                new HoldCommand(environment),
                new ReleaseCommand(environment),
                new RestoreCommand(environment),
                new DrillCommand(environment),
                new BrowseCommand(environment),
                new PreflightCommand(environment));
    }

    private static void describe(CommandLine command) {
        if (command.getCommand() instanceof ClusterCommand) {
            command.getCommandSpec()
                    .usageMessage()
                    .sortOptions(false)
                    .exitCodeListHeading("%nExit codes:%n");
            command.getCommandSpec()
                    .usageMessage()
                    .exitCodeList(
                            EXIT_CODES.stream()
                                    .map(code -> code.split(":", 2))
                                    .collect(
                                            java.util.stream.Collectors.toMap(
                                                    code -> code[0],
                                                    code -> code[1],
                                                    (a, b) -> a,
                                                    java.util.LinkedHashMap::new)));
        }
    }

    private static int execute(ParseResult parsed, Consumer<Boolean> verbose) {
        List<CommandLine> commands = parsed.asCommandLineList();
        if (commands.get(commands.size() - 1).getCommand() instanceof ClusterCommand command) {
            verbose.accept(command.isVerbose());
        }
        return new RunLast().execute(parsed);
    }
}
