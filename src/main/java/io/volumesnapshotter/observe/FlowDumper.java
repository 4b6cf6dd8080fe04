package io.volumesnapshotter.observe;

import java.io.StringReader;
import java.io.StringWriter;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.camel.CamelContext;
import org.apache.camel.NamedNode;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RoutesDefinition;
import org.apache.camel.xml.LwModelToXMLDumper;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/**
 * Shows of each route its flow, without the error handling that all routes share. Camel copies that
 * into each of them, and hawtio's diagrams begin with it. A route's own error handler is left out
 * for hawtio 5.2.0, too: it takes {@code errorHandler}, which stands before {@code from}, for a
 * step that nothing leads to, and then draws no diagram of any route.
 */
public final class FlowDumper extends LwModelToXMLDumper {

    private static final List<String> HANDLING = List.of("onException", "errorHandler");

    @Override
    public String dumpModelAsXml(
            CamelContext context,
            NamedNode definition,
            boolean resolvePlaceholders,
            boolean generatedIds,
            boolean sourceLocation)
            throws Exception {
        String xml =
                super.dumpModelAsXml(
                        context, definition, resolvePlaceholders, generatedIds, sourceLocation);
        return definition instanceof RoutesDefinition || definition instanceof RouteDefinition
                ? flow(xml)
                : xml;
    }

    private static String flow(String xml) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
        Document document =
                factory.newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
        for (String handling : HANDLING) {
            NodeList all = document.getElementsByTagName(handling);
            while (all.getLength() > 0) {
                all.item(0).getParentNode().removeChild(all.item(0));
            }
        }
        Transformer transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        StringWriter text = new StringWriter();
        transformer.transform(new DOMSource(document), new StreamResult(text));
        return text.toString();
    }
}
