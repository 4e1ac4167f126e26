import CYAML
import Diagnostics

/// An event of libyaml's, as a value that owns its text.
struct YAMLEvent {
    enum Kind: Equatable {
        case scalar(YAMLScalar)
        case alias, sequenceStart, mappingStart
        /// The end of a sequence or mapping.
        case end
        case documentStart, streamEnd
        /// The other marks of streams and documents.
        case other
    }

    let kind: Kind
    let position: SourcePosition
    /// The name of an anchor or alias.
    var anchor: String?
    /// A tag as written out in full.
    var tag: String?

    /// `end` is that of the file.
    init(_ event: yaml_event_t, end: SourcePosition) {
        position = SourcePosition(event.start_mark, end: end)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            kind = .scalar(YAMLScalar(text: text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE))
            (anchor, tag) = (Self.text(scalar.anchor), Self.text(scalar.tag))
        case YAML_ALIAS_EVENT:
            kind = .alias
            anchor = Self.text(event.data.alias.anchor)
        case YAML_SEQUENCE_START_EVENT:
            kind = .sequenceStart
            (anchor, tag) = (Self.text(event.data.sequence_start.anchor), Self.text(event.data.sequence_start.tag))
        case YAML_MAPPING_START_EVENT:
            kind = .mappingStart
            (anchor, tag) = (Self.text(event.data.mapping_start.anchor), Self.text(event.data.mapping_start.tag))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: kind = .end
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_STREAM_END_EVENT: kind = .streamEnd
        default: kind = .other
        }
    }

    private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        guard let bytes else { return nil }
        return String(decodingCString: bytes, as: UTF8.self)
    }
}
