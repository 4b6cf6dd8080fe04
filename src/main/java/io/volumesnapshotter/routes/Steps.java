package io.volumesnapshotter.routes;

import io.volumesnapshotter.schedule.PolicyComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.model.BeanDefinition;
import org.apache.camel.model.CatchDefinition;
import org.apache.camel.model.ExpressionNode;
import org.apache.camel.model.LogDefinition;
import org.apache.camel.model.LoopDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.SetHeadersDefinition;
import org.apache.camel.model.SetVariablesDefinition;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.model.TryDefinition;
import org.apache.camel.model.language.ExpressionDefinition;
import org.apache.camel.model.language.MethodCallExpression;

/** What the steps of routes do, as far as that can be read from them. */
public final class Steps {

    static final String CREATES = "createCustomResource";
    static final String DELETES = "snapshots.delete";
    static final String DELETES_UNASKED = "deleteCustomResource";
    static final String LOG = "log";
    static final List<String> LOUD = List.of("ERROR", "WARN");
    static final String PAUSES = "run:pollDelay";
    static final String POLICY = PolicyComponent.Kind.POLICY.prefix();
    static final String DRILL = PolicyComponent.Kind.DRILL.prefix();

    private static final Pattern CALLED = Pattern.compile("bean:(\\w+)(?:\\?method=|::|\\.)(\\w+)");

    /** What is empty, or not so, in a run that takes nothing. */
    private static final Pattern OF_TAKING =
            Pattern.compile("variable\\.(look\\b|run\\.(isOpen|unrequested|pending|mayHaveBegun))");

    private final UnaryOperator<String> resolve;

    /**
     * @param resolve puts values in the place of placeholders
     */
    public Steps(UnaryOperator<String> resolve) {
        this.resolve = resolve;
    }

    /**
     * What a step calls by its name.
     *
     * @param line where the step is in its file, counted from 1; 0 when it is not known
     * @param method empty when Camel finds it by itself
     */
    public record Call(int line, String bean, Optional<String> method) {}

    /** The beans that steps call, those in their branches too. */
    public List<Call> calls(List<? extends ProcessorDefinition<?>> steps) {
        List<Call> calls = new ArrayList<>();
        for (ProcessorDefinition<?> step : steps) {
            for (String fact : facts(step)) {
                String[] parts = fact.split("\\.");
                if (parts.length == 2) {
                    calls.add(
                            new Call(
                                    step.getLineNumber(),
                                    parts[0],
                                    Optional.of(parts[1]).filter(name -> !name.equals("null"))));
                }
            }
            branches(step).forEach(branch -> calls.addAll(calls(branch)));
        }
        return calls;
    }

    /** The texts in the language {@code simple} that steps evaluate, by their lines. */
    public static Map<String, Integer> simpleTexts(List<? extends ProcessorDefinition<?>> steps) {
        Map<String, Integer> texts = new LinkedHashMap<>();
        for (ProcessorDefinition<?> step : steps) {
            for (ExpressionDefinition expression : expressions(step)) {
                if ("simple".equals(expression.getLanguage())) {
                    texts.putIfAbsent(expression.getExpression(), step.getLineNumber());
                }
            }
            if (step instanceof LogDefinition log && log.getMessage() != null) {
                texts.putIfAbsent(log.getMessage(), step.getLineNumber());
            }
            branches(step).forEach(branch -> texts.putAll(simpleTexts(branch)));
        }
        return texts;
    }

    private static List<ExpressionDefinition> expressions(ProcessorDefinition<?> step) {
        List<ExpressionDefinition> all = new ArrayList<>();
        if (step instanceof SetVariablesDefinition several) {
            several.getVariables().forEach(one -> all.add(one.getExpression()));
        } else if (step instanceof SetHeadersDefinition several) {
            several.getHeaders().forEach(one -> all.add(one.getExpression()));
        } else if (step instanceof ExpressionNode node) {
            all.add(node.getExpression());
        }
        all.removeIf(Objects::isNull);
        return all;
    }

    /**
     * Whether only a run comes into a step's branches that takes snapshots: its loop, or what it
     * does for each claim.
     */
    static boolean isOfTaking(ProcessorDefinition<?> step) {
        return step instanceof LoopDefinition
                || expressions(step).stream()
                        .map(ExpressionDefinition::getExpression)
                        .filter(Objects::nonNull)
                        .anyMatch(text -> OF_TAKING.matcher(text).find());
    }

    boolean isDisabled(ProcessorDefinition<?> step) {
        return step.getDisabled() != null
                && Boolean.parseBoolean(resolve.apply(step.getDisabled()));
    }

    static List<List<ProcessorDefinition<?>>> branches(ProcessorDefinition<?> step) {
        List<List<ProcessorDefinition<?>>> branches = new ArrayList<>();
        if (step instanceof TryDefinition attempt) {
            branches.add(
                    attempt.getOutputs().stream()
                            .filter(part -> !(part instanceof CatchDefinition))
                            .<ProcessorDefinition<?>>map(part -> part)
                            .toList());
            attempt.getOutputs().stream()
                    .filter(CatchDefinition.class::isInstance)
                    .forEach(part -> branches.add(part.getOutputs()));
        } else {
            branches.add(step.getOutputs());
        }
        return branches;
    }

    /** What a step does itself. */
    List<String> facts(ProcessorDefinition<?> step) {
        List<String> facts = new ArrayList<>();
        if (step instanceof BeanDefinition bean && bean.getRef() != null) {
            facts.add(bean.getRef() + "." + bean.getMethod());
        } else if (step instanceof LogDefinition log) {
            if (LOUD.contains(String.valueOf(log.getLoggingLevel()))) {
                facts.add(LOG);
            }
            called(log.getMessage(), facts);
        } else if (step instanceof ToDefinition to) {
            String uri = resolve.apply(to.getUri());
            PolicyComponent.Kind.of(uri).ifPresent(kind -> facts.add(kind.prefix()));
            if (uri.startsWith("kubernetes-custom-resources:")) {
                List.of(CREATES, DELETES_UNASKED).stream()
                        .filter(uri::contains)
                        .forEach(facts::add);
            }
            if (uri.startsWith("log:") && LOUD.stream().anyMatch(uri::contains)) {
                facts.add(LOG);
            }
            called(uri, facts);
        }
        expressions(step).forEach(expression -> called(expression, facts));
        return facts;
    }

    private static void called(ExpressionDefinition expression, List<String> facts) {
        if (expression instanceof MethodCallExpression call && call.getRef() != null) {
            facts.add(call.getRef() + "." + call.getMethod());
        } else if (expression != null) {
            called(expression.getExpression(), facts);
        }
    }

    private static void called(String text, List<String> facts) {
        Matcher matcher = CALLED.matcher(text == null ? "" : text);
        while (matcher.find()) {
            facts.add(matcher.group(1) + "." + matcher.group(2));
        }
        if (text != null && text.contains("variable.run.pollDelay")) {
            facts.add(PAUSES);
        }
    }
}
