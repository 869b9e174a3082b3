/// The YAML text of a mapping and the name under which errors speak of it.
package struct MappingSource: Sendable, Hashable {
    /// The file's name, as people should read it in an error.
    package var name: String
    package var text: String

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}
