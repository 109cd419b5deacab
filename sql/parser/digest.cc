// Works on tokens alone, so it also serves statements that do not parse. Literals are folded while
// appending, by looking at the last few output tokens, as the server's digest does.
#include "sql/parser/digest.h"

#include <vector>

#include "sql/parser/lexer.h"

namespace borealis::sql {

namespace {

enum class PieceKind : uint8_t {
  kOther,
  kOpen,
  kClose,
  kComma,
  kSign,
  kOperand,      // after which + and - are binary
  kValue,        // ?
  kValueList,    // ?, ...
  kSingleRow,    // (?)
  kSingleRows,   // (?) /* , ... */
  kMultipleRow,  // (...)
  kMultipleRows,
};

struct Piece {
  PieceKind kind;
  std::string text;
};

std::string_view FoldedText(PieceKind kind) {
  switch (kind) {
    case PieceKind::kValue:
      return "?";
    case PieceKind::kValueList:
      return "?, ...";
    case PieceKind::kSingleRow:
      return "(?)";
    case PieceKind::kSingleRows:
      return "(?) /* , ... */";
    case PieceKind::kMultipleRow:
      return "(...)";
    case PieceKind::kMultipleRows:
      return "(...) /* , ... */";
    default:
      return "";
  }
}

class Folder {
 public:
  // `signable`: a number, into which a preceding unary sign disappears.
  void AddValue(bool signable) {
    if (signable && KindAt(1) == PieceKind::kSign && !IsOperand(KindAt(2))) {
      pieces_.pop_back();
    }
    if (KindAt(1) == PieceKind::kComma &&
        (KindAt(2) == PieceKind::kValue || KindAt(2) == PieceKind::kValueList)) {
      pieces_.pop_back();
      pieces_.back().kind = PieceKind::kValueList;
      return;
    }
    pieces_.push_back({PieceKind::kValue, ""});
  }

  void Add(PieceKind kind, std::string text) {
    if (kind == PieceKind::kClose && KindAt(2) == PieceKind::kOpen &&
        (KindAt(1) == PieceKind::kValue || KindAt(1) == PieceKind::kValueList)) {
      const bool single = KindAt(1) == PieceKind::kValue;
      pieces_.pop_back();
      pieces_.pop_back();
      AddRow(single);
      return;
    }
    pieces_.push_back({kind, std::move(text)});
  }

  bool EndsWith(std::string_view word) const {
    return !pieces_.empty() && pieces_.back().text == word;
  }

  std::string Text(size_t max_length) const {
    std::string out;
    for (const Piece& piece : pieces_) {
      const std::string_view text =
          piece.text.empty() ? FoldedText(piece.kind) : std::string_view(piece.text);
      const size_t blank = out.empty() ? 0 : 1;
      if (out.size() + blank + text.size() > max_length) {
        return out + (blank != 0 ? " ..." : "...");
      }
      out.append(blank, ' ');
      out += text;
    }
    return out;
  }

 private:
  // Kind of the n-th piece from the end.
  PieceKind KindAt(size_t n) const {
    return n <= pieces_.size() ? pieces_[pieces_.size() - n].kind : PieceKind::kOther;
  }

  static bool IsOperand(PieceKind kind) {
    return kind == PieceKind::kOperand || kind == PieceKind::kClose || kind >= PieceKind::kValue;
  }

  void AddRow(bool single) {
    const PieceKind one = single ? PieceKind::kSingleRow : PieceKind::kMultipleRow;
    const PieceKind many = single ? PieceKind::kSingleRows : PieceKind::kMultipleRows;
    if (KindAt(1) == PieceKind::kComma && (KindAt(2) == one || KindAt(2) == many)) {
      pieces_.pop_back();
      pieces_.back().kind = many;
      return;
    }
    pieces_.push_back({one, ""});
  }

  std::vector<Piece> pieces_;
};

std::string Quoted(const std::string& name) {
  std::string out = "`";
  for (char c : name) {
    out += c;
    if (c == '`') {
      out += '`';
    }
  }
  return out + "`";
}

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return out;
}

void AddOperator(std::string_view text, const Token& token, Folder* folder) {
  PieceKind kind = PieceKind::kOther;
  switch (token.op) {
    case Op::kLeftParen:
      kind = PieceKind::kOpen;
      break;
    case Op::kRightParen:
      kind = PieceKind::kClose;
      break;
    case Op::kComma:
      kind = PieceKind::kComma;
      break;
    case Op::kPlus:
    case Op::kMinus:
      kind = PieceKind::kSign;
      break;
    case Op::kNotEqual:
      folder->Add(kind, "!=");
      return;
    default:
      break;
  }
  folder->Add(kind, std::string(text));
}

void AddToken(std::string_view text, const Token& token, Folder* folder) {
  const std::string_view word = text.substr(token.begin, token.end - token.begin);
  switch (token.kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kFloat:
      return folder->AddValue(true);
    case TokenKind::kString:
    case TokenKind::kNationalString:
    case TokenKind::kHex:
    case TokenKind::kBit:
    case TokenKind::kParameter:
      return folder->AddValue(false);
    case TokenKind::kQuotedIdent:
      return folder->Add(PieceKind::kOperand, Quoted(IdentifierValue(text, token)));
    case TokenKind::kIdent:
      if (token.keyword == Keyword::kNull && !folder->EndsWith("IS") && !folder->EndsWith("NOT")) {
        return folder->AddValue(false);
      }
      if (token.keyword == Keyword::kNotKeyword) {
        return folder->Add(PieceKind::kOperand, Quoted(std::string(word)));
      }
      return folder->Add(IsReserved(token.keyword) ? PieceKind::kOther : PieceKind::kOperand,
                         Upper(word));
    case TokenKind::kUserVariable:
      return folder->Add(PieceKind::kOperand, std::string(word));
    case TokenKind::kOperator:
      return AddOperator(word, token, folder);
    case TokenKind::kSystemVariableMark:
      return folder->Add(PieceKind::kOther, "@@");
    case TokenKind::kIntroducer:
    case TokenKind::kHint:
    case TokenKind::kEnd:
    case TokenKind::kError:
      return;
  }
}

}  // namespace

std::string NormaliseStatement(std::string_view text, const ParserOptions& options,
                               size_t max_length) {
  if (text.size() >= UINT32_MAX) {
    return "...";
  }
  std::vector<Token> tokens;
  Lexer(text, options).Run(0, &tokens);
  Folder folder;
  for (const Token& token : tokens) {
    if (token.kind == TokenKind::kError ||
        (token.kind == TokenKind::kOperator && token.op == Op::kSemicolon)) {
      break;
    }
    AddToken(text, token, &folder);
  }
  return folder.Text(max_length);
}

}  // namespace borealis::sql
