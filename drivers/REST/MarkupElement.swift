/// An element of an XML document.
struct MarkupElement: Sendable {
    /// Without its prefix.
    var name: String
    /// As they are written, prefix included.
    var attributes: [String: String] = [:]
    var children: [MarkupElement] = []
    /// Without white space at its ends.
    var text = ""

    /// The children of that name.
    func all(_ name: String) -> [MarkupElement] { children.filter { $0.name == name } }

    subscript(attribute: String) -> String? { attributes[attribute] }
}

/// Why a text is no XML document that is read here.
struct MarkupMistake: Error, Sendable, Hashable {
    /// In words for people, the line included.
    var text: String
}
