/// The YAML text of a mapping and the name under which errors speak of it.
package struct MappingSource: Sendable, Hashable {
    /// The file's name, as people should read it in an error.
    package var name: String
    package var text: String

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }

    /// A mapping that a driver brings along.
    package static func readyMade(_ driver: String, fileName: String, text: String) -> MappingSource {
        MappingSource(name: driver + readyMadeMark + fileName, text: text)
    }

    /// Stands in the names of mappings that drivers bring along, and in no path of a person's.
    static let readyMadeMark = " (built in): "
}
