import Foundation
import FoundationXML

/// Reads XML as services describe themselves in: elements, attributes, text.
///
/// A document type is refused, so that nothing is fetched and no entity grows. Depth and number of elements are bounded, the length by the
/// answer that is read.
final class MarkupReader: NSObject, XMLParserDelegate {
    private var stack: [MarkupElement] = []
    private var root: MarkupElement?
    private var count = 0
    private var refusal: String?

    private static let mostDepth = 64
    private static let mostElements = 500_000

    /// The document's element.
    static func element(_ bytes: [UInt8]) throws(MarkupMistake) -> MarkupElement {
        if bytes.firstRange(of: Array("<!DOCTYPE".utf8)) != nil { throw MarkupMistake(text: "a document type is not read") }
        let reader = MarkupReader()
        let parser = XMLParser(data: Data(bytes))
        parser.shouldProcessNamespaces = true
        parser.shouldResolveExternalEntities = false
        parser.delegate = reader
        let isWell = parser.parse()
        if isWell, reader.refusal == nil, let root = reader.root { return root }
        let reason = reader.refusal ?? "it is not well formed"
        throw MarkupMistake(text: "line \(max(parser.lineNumber, 1)): \(reason)")
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String]
    ) {
        count += 1
        if stack.count >= Self.mostDepth { return refuse("elements stand more than \(Self.mostDepth) deep", parser) }
        if count > Self.mostElements { return refuse("there are more than \(Self.mostElements) elements", parser) }
        stack.append(MarkupElement(name: name, attributes: attributes))
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        guard var element = stack.popLast() else { return }
        element.text = element.text.trimmingCharacters(in: .whitespacesAndNewlines)
        if stack.isEmpty { root = element } else { stack[stack.count - 1].children.append(element) }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        if !stack.isEmpty { stack[stack.count - 1].text += text }
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        if !stack.isEmpty { stack[stack.count - 1].text += String(decoding: block, as: UTF8.self) }
    }

    private func refuse(_ reason: String, _ parser: XMLParser) {
        if refusal == nil { refusal = reason }
        parser.abortParsing()
    }
}
