import HubModel

/// Text as a key, compared byte for byte as every database compares it.
struct ExactText: Identifier {
    var rawValue: String
}
