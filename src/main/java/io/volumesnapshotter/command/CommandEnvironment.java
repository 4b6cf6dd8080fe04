package io.volumesnapshotter.command;

import java.util.Map;

/**
 * What commands run in.
 *
 * @param variables the variables of the environment
 * @param console where they write
 * @param interrupts tells of Ctrl-C
 * @param wiring makes the program
 */
public record CommandEnvironment(
        Map<String, String> variables, Console console, Interrupts interrupts, Wiring wiring) {}
