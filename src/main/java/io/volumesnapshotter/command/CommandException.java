package io.volumesnapshotter.command;

/** Ends a command with one line on standard error, which ends in the remedy. */
public final class CommandException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int exitCode;

    private CommandException(int exitCode, String words, String remedy) {
        super(words + (remedy.isEmpty() ? "" : " -> " + remedy));
        this.exitCode = exitCode;
    }

    /** Nothing of what was asked for can be done. */
    public static CommandException nothing(String words, String remedy) {
        return new CommandException(ExitCode.NOTHING, words, remedy);
    }

    /** What was asked for makes no sense. */
    public static CommandException usage(String words, String remedy) {
        return new CommandException(ExitCode.USAGE, words, remedy);
    }

    /** It did not work now, and may work later. */
    public static CommandException again(String words, String remedy) {
        return new CommandException(ExitCode.AGAIN, words, remedy);
    }

    /** Something is configured in a way in which it cannot be done. */
    public static CommandException config(String words, String remedy) {
        return new CommandException(ExitCode.CONFIG, words, remedy);
    }

    /** What the command ends with. */
    public int exitCode() {
        return exitCode;
    }
}
