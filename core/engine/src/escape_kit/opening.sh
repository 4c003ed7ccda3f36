say 'opening what is encrypted'
if [ -z "$identity" ]; then
    say 'AGE_IDENTITY must name the file with the secret key: nothing was done'
    exit 1
fi
opened=$(mktemp -d)
trap 'rm -rf "$opened"' EXIT
trap 'exit 130' INT TERM
find . -type f -name '*.age' | while read -r file; do
    mkdir -p "$opened/$(dirname "$file")"
    age --decrypt --identity "$identity" --output "$opened/${file%.age}" "$file"
done
cd "$opened"

